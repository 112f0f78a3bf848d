"""Which database role a context runs as."""

NO_ROLE = "none"  # PostgreSQL's word for: the one that logged in.
_NAME_BYTES_MAX = 63


def agency_role(schema_name: str) -> str:
    """Return the role of an agency: its schema's name, generated and never used again."""
    return schema_name


def platform_role(database: str) -> str:
    """Return the role of the platform's own schema in a database.

    Roles are the whole cluster's, in which other databases may have a platform of their own.
    """
    ending = "_platform"
    return database.encode()[: _NAME_BYTES_MAX - len(ending)].decode(errors="ignore") + ending
