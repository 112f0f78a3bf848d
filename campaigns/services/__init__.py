"""What people, keys and jobs may do. Each service is one transaction: lock, change, decide again."""
