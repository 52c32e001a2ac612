"""Methods that learn from anomalies made in normal images."""
