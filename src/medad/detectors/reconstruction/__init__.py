"""Autoencoders whose error is the anomaly score."""
