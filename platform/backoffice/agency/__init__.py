"""What an agency's admin shows, by group. Importing it registers everything."""

from . import brands, budgets, campaigns, history, people, schedules, spends

__all__ = ["brands", "budgets", "campaigns", "history", "people", "schedules", "spends"]
