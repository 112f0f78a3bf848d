"""Who waits in the database of this test: its neighbours have databases of their own."""

SOMEBODY_WAITS = """
    SELECT EXISTS (
        SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE NOT l.granted AND a.datname = current_database()
    )
"""
