"""DDAD-ASR: dual-distribution discrepancy with self-supervised refinement."""
