import psycopg
from django.apps import AppConfig

from kernel.ids import IdLoader


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # Registers its check.
        from config import database  # noqa: F401

        # Before Django copies psycopg's own, with the first connection.
        psycopg.adapters.register_loader("uuid", IdLoader)
