"""`manage.py migrate` is `migrate_schemas`: the platform's schema, then every agency's."""

from .migrate_schemas import Command

__all__ = ["Command"]
