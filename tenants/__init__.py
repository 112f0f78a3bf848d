"""Knows agencies: schemas, contexts, fan-out."""
