"""Planted bugs: does a chosen fast part of the suite see them? `python -m tests.planted`.

mutations.py   the table: where, what, and what it means
planting.py    one mutation at a time, in a copy of the tree, never in the checkout
"""
