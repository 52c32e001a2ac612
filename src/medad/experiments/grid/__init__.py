"""The benchmark grid: methods x data sets x seeds x options, resumable, on one machine or a cluster."""
