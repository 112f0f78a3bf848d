from django.apps import AppConfig
from django.db.backends.signals import connection_created


class TrailConfig(AppConfig):
    name = "trail"
    verbose_name = "Trail"

    def ready(self) -> None:
        from .bystander import watch

        connection_created.connect(watch, dispatch_uid="trail.bystander")
