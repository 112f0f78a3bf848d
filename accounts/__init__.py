"""Knows people and keys: users, roles, permissions."""
