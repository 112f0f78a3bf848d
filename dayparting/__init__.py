"""Knows time of day: weekly schedules and their windows."""
