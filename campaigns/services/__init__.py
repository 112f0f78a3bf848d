"""What people, keys and jobs may do. Each is one transaction: lock, change, decide again."""
