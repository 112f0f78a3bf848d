"""Face: the demo agencies, the simulator that spends their money, and agencies seeded in bulk."""
