"""All that PostgreSQL's catalogs and tables say about one schema, by name: to compare two of them.

Written from PostgreSQL's documentation of its catalogs, without a look at how schemas are made.
"""

from django.db import connection

from tenants.contexts import tenant_context
from tenants.models import Agency

# Each question is asked in the agency's context, so that its own names come unqualified.
_MINE = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
_QUESTIONS = {
    "relations": f"""
        SELECT relname, relkind, relpersistence, reloptions, relowner::regrole::text, relacl::text,
               relrowsecurity, relforcerowsecurity, relreplident, relam, reltablespace,
               obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = {_MINE}""",
    "columns": f"""
        SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attisdropped,
               a.attcollation::regcollation::text, a.attstorage, a.attcompression, a.attacl::text,
               a.attoptions, a.atthasmissing, col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = {_MINE} AND a.attnum > 0""",
    "constraints": f"""
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid),
               condeferrable, condeferred, convalidated, confrelid::regclass::text,
               conindid::regclass::text, obj_description(oid, 'pg_constraint')
        FROM pg_constraint WHERE connamespace = {_MINE}""",
    "indexes": f"""
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisunique,
               i.indisprimary, i.indisvalid, i.indisready, i.indisclustered, i.indimmediate
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = {_MINE}""",
    "sequences": f"""
        SELECT s.sequencename, s.data_type::text, s.start_value, s.min_value, s.max_value,
               s.increment_by, s.cycle, s.cache_size, s.last_value, d.deptype,
               d.refobjid::regclass::text, d.refobjsubid
        FROM pg_sequences s
        JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = {_MINE}
        LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
                             AND d.refclassid = 'pg_class'::regclass
        WHERE s.schemaname = current_schema()""",
    "triggers": f"""
        SELECT c.relname, t.tgisinternal, t.tgtype, t.tgenabled, t.tgfoid::regproc::text,
               CASE WHEN NOT t.tgisinternal THEN pg_get_triggerdef(t.oid) END, con.conname
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        LEFT JOIN pg_constraint con ON con.oid = t.tgconstraint
        WHERE c.relnamespace = {_MINE}""",
    "functions": f"""
        SELECT proname, pg_get_functiondef(oid), proacl::text FROM pg_proc
        WHERE pronamespace = {_MINE} AND prokind IN ('f', 'p')""",
    "types": f"""
        SELECT t.typname, t.typtype, t.typacl::text,
               array(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)
        FROM pg_type t WHERE t.typnamespace = {_MINE}""",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = current_schema()",
    "policies": "SELECT * FROM pg_policies WHERE schemaname = current_schema()",
    "statistics": "SELECT * FROM pg_stats_ext WHERE schemaname = current_schema()",
    "schema": """
        SELECT nspowner::regrole::text, nspacl::text FROM pg_namespace
        WHERE nspname = current_schema()""",
}


def described(agency: Agency) -> dict[str, list[str]]:
    """Return what there is in the agency's schema, each thing as a line, in a fixed order."""
    with tenant_context(agency), connection.cursor() as cursor:
        told: dict[str, list[str]] = {}
        for topic, question in _QUESTIONS.items():
            cursor.execute(question)
            told[topic] = [str(row) for row in cursor.fetchall()]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in cursor.fetchall():
            # When a migration was applied is the one thing in which two agencies may differ.
            cursor.execute(f"SELECT to_jsonb(t) - 'applied' FROM {table} t")
            told[f"rows of {table}"] = [str(row) for (row,) in cursor.fetchall()]
    return {
        topic: sorted(line.replace(agency.schema_name, "SCHEMA") for line in lines)
        for topic, lines in told.items()
    }
