"""The REST API of an agency, under `/api/` on its host."""
