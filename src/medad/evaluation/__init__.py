"""Metrics, statistics, thresholds."""
