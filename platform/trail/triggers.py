"""pgtrigger's triggers, without the door that `pgtrigger.ignore` opens.

pgtrigger's own functions ask a setting, which anybody may set, whether they should look away, and
name the function that reads it in `public`. A trail must not look away; and an agency's context has
no `public`. So these name nothing but what the agency's own schema has, and run as whoever writes.
They keep the path on which they were made: a statement that names another schema in full is entered
where its table lies.
"""

from typing import Any

import pgtrigger
from pgtrigger import compiler


class LastingTriggerSql(compiler.UpsertTriggerSql):
    """The statements of a trigger that nothing but a migration takes away.

    Migrations name this class, so its text is never edited: another one gets another name.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SET search_path FROM CURRENT;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class LastingTrigger(pgtrigger.Trigger):
    """A trigger that can't be told to look away."""

    def compile(self, model: Any) -> compiler.Trigger:
        kwargs: dict[str, Any] = dict(super().compile(model).sql.kwargs)
        del kwargs["ignore_func_name"]
        return compiler.Trigger(name=self.name, sql=LastingTriggerSql(**kwargs))


class Unchangeable(LastingTrigger):
    """Refuse to change, delete or truncate: rows are added, and that is all."""

    name = "unchangeable"
    level = pgtrigger.Statement
    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate
    func = "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;"
