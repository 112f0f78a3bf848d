"""The fence: the database backend that puts a connection into exactly one schema."""
