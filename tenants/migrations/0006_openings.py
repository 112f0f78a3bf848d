"""Agencies that are ordered, and the task that makes those whose message was lost."""

import django.db.models.deletion
from django.db import migrations, models


def add(apps, schema_editor):
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    minute, _ = Interval.objects.get_or_create(every=60, period="seconds")
    Task.objects.get_or_create(
        name="Every minute: make the agencies that were ordered",
        defaults={
            "task": "accounts.open_agencies",
            "interval": minute,
            "expire_seconds": 55,
            "description": "Each is made as soon as it is ordered; this makes those whose message"
            " was lost, or whose worker was.",
        },
    )


def remove(apps, schema_editor):
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    Task.objects.filter(task="accounts.open_agencies").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_schema_scripts"),
    ]
    operations = [
        migrations.CreateModel(
            name="Opening",
            fields=[
                ("agency", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="opening", serialize=False, to="tenants.agency")),
                ("owner_email", models.EmailField(max_length=254)),
                ("begun_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
        ),
        migrations.RunPython(add, remove),
    ]
