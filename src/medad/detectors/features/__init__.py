"""Methods on descriptors, without training of networks."""
