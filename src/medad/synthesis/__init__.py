"""Making anomalies in normal images."""
