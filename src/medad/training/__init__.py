"""The trainer: phases, processes, precision, seeds, checkpoints, resume; run folders."""
