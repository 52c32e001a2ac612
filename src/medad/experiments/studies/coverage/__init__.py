"""Do our intervals and tests keep what they say? Simulations, see ``docs/results/coverage.md``."""
