"""Decisions that can be promised: false alarms, false discoveries, shares, and whether promises still hold."""
