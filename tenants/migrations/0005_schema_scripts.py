from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_forget_answers_nightly"),
    ]
    operations = [
        migrations.CreateModel(
            name="SchemaScript",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("sql", models.TextField()),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
    ]
