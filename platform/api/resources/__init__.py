"""Each resource in one file: what it takes and shows, its filters, and which services it calls."""
