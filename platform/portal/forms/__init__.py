"""What people fill in. A form reads; whether it may be is decided by the services."""
