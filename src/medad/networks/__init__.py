"""Networks and losses; no training code."""
