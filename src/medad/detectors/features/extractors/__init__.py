"""Frozen networks as sources of descriptors."""
