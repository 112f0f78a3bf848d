"""The fence between agencies: the database backend that puts a connection into exactly one schema."""
