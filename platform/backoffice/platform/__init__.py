"""What the platform's admin shows, by group. Importing it registers everything."""

from . import agencies, beat, staff

__all__ = ["agencies", "beat", "staff"]
