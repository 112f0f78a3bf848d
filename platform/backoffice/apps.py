from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        # What the two sites show registers itself when it is imported.
        from . import agency, platform  # noqa: F401
