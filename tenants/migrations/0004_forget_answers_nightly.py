"""The row of django-celery-beat that sweeps the API's remembered answers."""

from django.db import migrations

TASK = "api.forget_answers"


def add(apps, schema_editor):
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    night, _ = Crontab.objects.get_or_create(
        minute="37",
        hour="3",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    Task.objects.get_or_create(
        name="Every night: forget old answers to Idempotency-Keys",
        defaults={"task": TASK, "crontab": night},
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_agency_runs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add, remove)]
