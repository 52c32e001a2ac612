"""Methods that pull the codes of normal images together."""
