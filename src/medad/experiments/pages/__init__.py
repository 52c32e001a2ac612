"""The pages of docs/results, printed from stored scores by ``medad results``."""
