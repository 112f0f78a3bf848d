"""The trail: who changed what, from what to what."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.roles import Right
from campaigns.trail_words import Kind, Names, names_in, sentence
from kernel.actor import ActorKind
from kernel.money import plain
from trail.models import Entry, Operation
from trail.queries import Asked, entries, in_chunks

from ..bodies import Body, Query, Shown
from ..exports import CsvRenderer, csv_answer
from ..fields import Choice, DayOrMoment, Id, Instant, Text, Word
from ..pagination import Backwards
from .resource import Resource, writer_of

_SYSTEM = ActorKind.SYSTEM.value


class EntryBody(Body):
    id = Text(read_only=True)
    at = Instant(read_only=True)
    by_kind = Text(read_only=True, help_text="person, key or system.")
    by_id = Text(read_only=True, help_text="The person's or the key's; empty for the system.")
    by = Text(read_only=True, help_text="What they were called.")
    operation = Choice(Operation, read_only=True)
    kind = Choice(Kind, read_only=True)
    object = Text(read_only=True, help_text="The id of what was changed.")
    name = Text(read_only=True, help_text="What it, or what it belongs to, was called.")
    brand = Id(read_only=True, allow_null=True)
    campaign = Id(read_only=True, allow_null=True)
    before = serializers.DictField(
        read_only=True, allow_null=True, help_text="What changed only; null: it was created."
    )
    after = serializers.DictField(
        read_only=True, allow_null=True, help_text="What changed only; null: it was deleted."
    )
    sentence = Text(read_only=True)
    request_id = Text(read_only=True)


class TrailQuery(Query):
    actor = Word(help_text=f"The id of a person or a key; {_SYSTEM} for what nobody ordered.")
    kind = Choice(Kind, required=False)
    operation = Choice(Operation, required=False)
    object = Word(help_text="The id of the one thing that was changed.")
    brand = Id(required=False, help_text="The brand, and all that belongs to it.")
    campaign = Id(required=False, help_text="The campaign, its budget and its schedule.")
    request_id = Word()
    to = DayOrMoment(required=False, help_text="Exclusive; a day is included. Days are UTC's.")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so it can't be declared above.
        begin = DayOrMoment(required=False, help_text="A day or an instant. Days are UTC's.")
        return {**super().get_fields(), "from": begin}

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        since = _instant(asked.get("from"), is_end=False)
        until = _instant(asked.get("to"), is_end=True)
        if since is not None and until is not None and until <= since:
            raise ValidationError({"to": ["The trail is read to a day after the first."]})
        return {**asked, "from": since, "to": until}


def _instant(value: date | None, *, is_end: bool) -> datetime | None:
    """Return where a day begins, or ends, in UTC; an instant is one already."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value + timedelta(days=is_end), time(), tzinfo=UTC)


class TrailView(Resource[Entry]):
    """The trail: every change of what people set, by whom, from what to what, the newest first.

    It is about brands, budgets with their limits and adjustments, campaigns, schedules with their
    windows and exceptions, people, keys, and the agency's settings. Nobody can change it. Passwords
    and secrets are not in it: `***` stands where one was changed.
    """

    what = "entry of the trail"
    brand_path = "brand_id"
    right_to_read = Right.READ_TRAIL
    serializer_class = EntryBody
    filters = TrailQuery
    pagination_class = Backwards
    renderer_classes = [JSONRenderer, CsvRenderer]

    def rows(self) -> QuerySet[Entry]:
        return entries(Asked(), brand_ids=self.caller.brand_ids)

    def narrow(self, rows: QuerySet[Entry], asked: Mapping[str, Any]) -> QuerySet[Entry]:
        actor = asked.get("actor")
        wanted = Asked(
            kind=asked.get("kind"),
            operation=asked.get("operation"),
            by_kind=_SYSTEM if actor == _SYSTEM else None,
            by_id=None if actor == _SYSTEM else actor,
            object_id=asked.get("object"),
            brand_id=asked.get("brand"),
            campaign_id=asked.get("campaign"),
            request_id=asked.get("request_id"),
            since=asked.get("from"),
            until=asked.get("to"),
        )
        return entries(wanted, brand_ids=self.caller.brand_ids)

    def show(self, rows: Sequence[Entry]) -> list[Shown]:
        names = names_in(rows)
        return [_shown(entry, names) for entry in rows]

    def list(self, request: Request, **_: Any) -> Any:
        if not self.wants_csv:
            return super().list(request)
        columns = list(writer_of(EntryBody).fields)
        rows = self._every_row(self.narrow(self.rows(), self.asked))
        return csv_answer(columns, rows, name="trail")

    def _every_row(self, rows: QuerySet[Entry]) -> Iterator[Shown]:
        for chunk in in_chunks(rows):
            for row in self.written(chunk):
                yield {**row, "before": _cell(row["before"]), "after": _cell(row["after"])}


def _shown(entry: Entry, names: Names) -> Shown:
    currency = names.currency_of(entry)
    return {
        "id": str(entry.pgh_id),
        "at": entry.pgh_created_at,
        "by_kind": entry.by_kind,
        "by_id": entry.by_id,
        "by": entry.by_label,
        "operation": entry.pgh_label,
        "kind": entry.kind,
        "object": entry.object_id,
        "name": entry.name,
        "brand": entry.brand_id,
        "campaign": entry.campaign_id,
        "before": _values(entry.before, currency),
        "after": _values(entry.after, currency),
        "sentence": sentence(entry, names),
        "request_id": entry.request_id,
    }


def _values(row: dict[str, Any] | None, currency: str) -> dict[str, Any] | None:
    """Return a row's values with its amounts as strings, as they are everywhere."""
    if row is None:
        return None
    return {
        name: plain(value, currency) if isinstance(value, Decimal) else value
        for name, value in row.items()
    }


def _cell(row: dict[str, Any] | None) -> str:
    return "" if row is None else json.dumps(row, ensure_ascii=False)
