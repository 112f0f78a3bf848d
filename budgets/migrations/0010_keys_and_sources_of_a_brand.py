import django.db.models.deletion
from django.db import migrations, models

MODES = [("append", "Appends"), ("restate", "Restates")]
# A source keeps its mode in each brand of which it has said something.
FILL = """
    INSERT INTO budgets_brandsource (brand_id, name, mode, first_used_at)
    SELECT used.brand_id, s.name, s.mode, s.first_used_at
    FROM budgets_spendsource s
    JOIN (
        SELECT brand_id, source AS name FROM budgets_spendentry
        UNION
        SELECT b.brand_id, f.source_id
        FROM budgets_sourcefigure f JOIN budgets_budget b ON b.id = f.budget_id
        UNION
        SELECT b.brand_id, c.source_id
        FROM budgets_completestatement c JOIN budgets_budget b
            ON c.budget_ids @> to_jsonb(b.id::text)
    ) AS used USING (name)
    ORDER BY used.brand_id, s.name
"""


class Migration(migrations.Migration):

    dependencies = [("budgets", "0009_brands_of_entries")]

    operations = [
        migrations.AlterField(
            model_name="spendentry",
            name="brand",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="budgets.brand",
            ),
        ),
        migrations.AddConstraint(
            model_name="spendentry",
            constraint=models.UniqueConstraint(
                models.F("brand"),
                models.F("source"),
                models.F("key"),
                name="entry_key_once_a_brand",
            ),
        ),
        migrations.RemoveConstraint(model_name="spendentry", name="entry_key_once"),
        migrations.CreateModel(
            name="BrandSource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=64)),
                ("mode", models.CharField(choices=MODES, max_length=7)),
                ("first_used_at", models.DateTimeField()),
                (
                    "brand",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="budgets.brand",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("brand", "name"), name="source_once_a_brand")
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="spendsource", name="mode"),
    ]
