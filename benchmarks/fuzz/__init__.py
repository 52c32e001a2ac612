"""Damaged and hostile files by the thousand, each read as ``medad`` reads: an image or one clean error.

``python -m benchmarks.fuzz`` makes them from a seed and prints the table of ``docs/reliability.md``.
"""
