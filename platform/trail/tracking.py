"""Which tables are tracked, and the triggers that write their entries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pghistory.trigger
import pgtrigger
from django.db.models import Model

from .models import Entry
from .triggers import LastingTrigger


class About(NamedTuple):
    """What an entry is found by, as SQL over `thing`: the row as it is now, or was before it was
    deleted."""

    name: str
    brand: str = "NULL"
    campaign: str = "NULL"


@dataclass(frozen=True)
class Tracked:
    """A model whose changes are entered.

    Columns in `derived` are not looked at: they follow from other rows, or only tell when something
    was. Of those in `secret` it is told that they changed, and no more.
    """

    model: type[Model]
    kind: str
    about: About
    derived: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()

    @property
    def fields(self) -> list[str]:
        """The fields whose change is an entry."""
        fields = self.model._meta.local_concrete_fields
        return [field.name for field in fields if field.column not in self.derived]


# By table.
TRACKED: dict[str, Tracked] = {}


def track(tracked: Tracked) -> None:
    """Have every change of a model's rows entered, whoever makes it and however."""
    assert {*tracked.derived, *tracked.secret} <= {
        field.column for field in tracked.model._meta.local_concrete_fields
    }, f"{tracked.kind} has no such column"
    TRACKED[tracked.model._meta.db_table] = tracked
    either = pgtrigger.Insert | pgtrigger.Delete
    # A condition that PostgreSQL looks at before it calls anything: an UPDATE of derived columns,
    # of thousands of rows at once, costs a comparison each.
    changed = pgtrigger.AnyChange(*tracked.fields)
    register: Callable[..., Any] = pgtrigger.register(
        _Enter(tracked, name="trail_row", operation=either),
        _Enter(tracked, name="trail_change", operation=pgtrigger.Update, condition=changed),
    )
    register(tracked.model)


class _Enter(LastingTrigger, pghistory.trigger.Event):
    """pghistory's trigger, with one table of events for all models."""

    event_model = Entry
    # The function tells by the operation itself.
    label = "any"
    row = "NEW"

    def __init__(self, tracked: Tracked, **options: Any) -> None:
        self.tracked = tracked
        super().__init__(level=pgtrigger.Row, **options)  # type: ignore[no-untyped-call]

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        hidden = ",".join([*self.tracked.derived, *self.tracked.secret])
        return [
            ("thing", f'"{model._meta.db_table}"%ROWTYPE'),
            ("was", f"jsonb := to_jsonb(OLD) - '{{{hidden}}}'::text[]"),
            ("now", f"jsonb := to_jsonb(NEW) - '{{{hidden}}}'::text[]"),
            ("who", "jsonb := nullif(current_setting('pghistory.context_metadata', true), '')"),
        ]

    def get_func(self, model: Any) -> str:
        tracked, about = self.tracked, self.tracked.about
        lines = [
            "IF TG_OP = 'DELETE' THEN thing := OLD; ELSE thing := NEW; END IF;",
            *(self._only_what_changed() if self.operation == pgtrigger.Update else ()),
            f"""
            INSERT INTO "{Entry._meta.db_table}" (
                pgh_created_at, pgh_label, kind, object_id, name, brand_id, campaign_id,
                before, after, by_kind, by_id, by_label, request_id
            ) VALUES (
                clock_timestamp(), lower(TG_OP), '{tracked.kind}', thing.id::text,
                left(coalesce({about.name}, ''), 200), {about.brand}, {about.campaign},
                was, now, coalesce(who->>'by_kind', 'system'), coalesce(who->>'by_id', ''),
                left(coalesce(who->>'by_label', 'Paceline'), 120),
                left(coalesce(who->>'request_id', ''), 64)
            );
            RETURN NULL;
            """,  # noqa: S608
        ]
        return self.format_sql("\n".join(lines))

    def _only_what_changed(self) -> list[str]:
        lines = [
            """
            SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}'),
                   coalesce(jsonb_object_agg(o.key, n.value), '{}') INTO was, now
            FROM jsonb_each(was) o JOIN jsonb_each(now) n USING (key)
            WHERE o.value IS DISTINCT FROM n.value;
            """
        ]
        for column in self.tracked.secret:
            told = f"""'{{"{column}": "***"}}'"""
            lines.append(
                f'IF OLD."{column}" IS DISTINCT FROM NEW."{column}" THEN'
                f" was := was || {told}; now := now || {told}; END IF;"
            )
        return lines
