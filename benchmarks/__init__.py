"""Measured by hand, printed as ratios beside the machine's figures, never asserted in a test.

.venv/bin/python -m benchmarks.full_pass
"""
