from django.apps import AppConfig


class DaypartingConfig(AppConfig):
    name = "dayparting"
    verbose_name = "Dayparting"
