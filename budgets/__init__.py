"""Knows money: brands, budgets, limits, the ledger, reports."""
