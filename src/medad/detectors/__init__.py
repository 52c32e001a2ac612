"""One file per method; the contract and the registry."""
