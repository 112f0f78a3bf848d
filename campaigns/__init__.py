"""Knows money and time, and decides: campaigns, holds, delivery, enforcement, the sweep."""
