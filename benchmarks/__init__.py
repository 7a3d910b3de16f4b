"""How fast the course's training step is, beside other libraries that can be installed: `python -m benchmarks`."""
