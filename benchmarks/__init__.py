"""Measurements of speed and quality that anyone can repeat: `python -m benchmarks`."""
