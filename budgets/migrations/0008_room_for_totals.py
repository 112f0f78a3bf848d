"""Today's totals are raised all day: room beside them keeps a new version on their own page, where
no index has to learn of it (PostgreSQL's heap-only tuples)."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("budgets", "0007_trail_of_changes"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE budgets_spendtotal SET (fillfactor = 60)",
            "ALTER TABLE budgets_spendtotal RESET (fillfactor)",
        ),
    ]
