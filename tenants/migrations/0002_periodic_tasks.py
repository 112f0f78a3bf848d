"""The rows of django-celery-beat that drive the platform; staff may edit them in the admin."""

from django.db import migrations


def add(apps, schema_editor):
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    minute, _ = Interval.objects.get_or_create(every=60, period="seconds")
    night, _ = Crontab.objects.get_or_create(
        minute="17",
        hour="3",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    Task.objects.get_or_create(
        name="Every minute: sweep the agencies that are due",
        defaults={
            "task": "campaigns.tick",
            "interval": minute,
            "expire_seconds": 55,
            "description": "Time's changes (hours, flights, midnights) within the minute; every"
            " agency is also swept whole once in five minutes, spread over the minutes.",
        },
    )
    Task.objects.get_or_create(
        name="Every night: clear expired sessions",
        defaults={"task": "accounts.clear_sessions", "crontab": night},
    )


def remove(apps, schema_editor):
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    Task.objects.filter(task__in=["campaigns.tick", "accounts.clear_sessions"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add, remove)]
