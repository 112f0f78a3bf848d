"""Suspensions with their reasons, agencies that are to be deleted, and the task that sees to those
whose message was lost."""

import django.db.models.deletion
from django.db import migrations, models


def add(apps, schema_editor):
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    minute, _ = Interval.objects.get_or_create(every=60, period="seconds")
    Task.objects.get_or_create(
        name="Every minute: delete the agencies that are to be deleted",
        defaults={
            "task": "tenants.remove_agencies",
            "interval": minute,
            "expire_seconds": 55,
            "description": "Each is deleted as soon as that is asked for; this deletes those whose"
            " message was lost, or whose worker was.",
        },
    )


def remove(apps, schema_editor):
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    Task.objects.filter(task="tenants.remove_agencies").delete()


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0007_agency_doors'),
    ]

    operations = [
        migrations.AddField(
            model_name='agency',
            name='order_key',
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
        migrations.CreateModel(
            name='Removal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=63)),
                ('schema_name', models.CharField(max_length=63, unique=True)),
                ('export_path', models.TextField()),
                ('asked_at', models.DateTimeField()),
                ('asked_by_kind', models.CharField(max_length=8)),
                ('asked_by_id', models.CharField(blank=True, max_length=36)),
                ('asked_by_label', models.CharField(max_length=254)),
                ('begun_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('agency', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='removal', to='tenants.agency')),
            ],
        ),
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500)),
                ('begun_at', models.DateTimeField()),
                ('begun_by_kind', models.CharField(max_length=8)),
                ('begun_by_id', models.CharField(blank=True, max_length=36)),
                ('begun_by_label', models.CharField(max_length=254)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by_kind', models.CharField(blank=True, max_length=8)),
                ('ended_by_id', models.CharField(blank=True, max_length=36)),
                ('ended_by_label', models.CharField(blank=True, max_length=254)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suspensions', to='tenants.agency')),
            ],
            options={
                'ordering': ['-begun_at', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('agency',), name='agency_suspended_once')],
            },
        ),
        migrations.RunPython(add, remove),
    ]
