import django.db.models.deletion
from django.db import migrations, models

# A budget never changes its brand, so neither does an entry.
FILL = """
    UPDATE budgets_spendentry e SET brand_id = b.brand_id
    FROM budgets_budget b WHERE b.id = e.budget_id
"""


class Migration(migrations.Migration):

    dependencies = [("budgets", "0008_room_for_totals")]

    operations = [
        migrations.AddField(
            model_name="spendentry",
            name="brand",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="budgets.brand",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
