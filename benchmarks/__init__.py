"""Measurements beside what a user would otherwise write, run with `python -m benchmarks.NAME`."""
