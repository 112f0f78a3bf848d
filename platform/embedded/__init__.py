"""PostgreSQL and Valkey from their wheels, and the supervisor behind `./run`.

Stands alone: imports nothing of ours, and no Django.
"""
