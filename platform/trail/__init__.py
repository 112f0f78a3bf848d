"""Knows who changed what: entries that PostgreSQL writes and nobody changes."""
