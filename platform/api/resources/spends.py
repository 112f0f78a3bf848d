"""Spend: lines of the ledger, which are added, corrected and reversed, and never changed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Right
from budgets.ledger import OWN_KEYS, Line
from budgets.models import EntryKind, SpendEntry, SpendType
from campaigns.models import Status
from campaigns.services import spend as services

from .. import shown
from ..bodies import Body, Query, Shown
from ..exports import CsvRenderer, csv_answer
from ..fields import Amount, Choice, Day, Flag, Id, Instant, OptionalText, Text, Word
from .resource import Resource, writer_of

HOW_TO_CORRECT = (
    "A spend is never changed. Reverse it with DELETE and record it again under another"
    " external_id, or record what is missing as a correction: POST /api/spends/ with"
    ' "correction": true and a description.'
)
_ROWS_AT_ONCE = 2000


class SpendBody(Body):
    id = Id(read_only=True)
    campaign = Id()
    brand = Id(read_only=True)
    amount = Amount(help_text="In the brand's currency, with at most six decimals.")
    currency = Text(read_only=True)
    spend_date = Day(help_text="The brand's local day; not after its today.")
    spend_type = Choice(
        SpendType,
        required=False,
        help_text="Default DAILY, which counts in its day and month; MONTHLY in the month only.",
    )
    kind = Choice(EntryKind, read_only=True)
    description = OptionalText(max_length=500)
    external_id = OptionalText(
        max_length=255, help_text="With one, the spend counts once within its source."
    )
    source = Text(  # type: ignore[assignment]
        max_length=64, required=False, help_text="Who reports it. Default api."
    )
    correction = Flag(
        write_only=True,
        required=False,
        help_text="A correction may be negative, and has a description of why.",
    )
    corrects_source = OptionalText(
        max_length=64,
        help_text="The restating source that a correction corrects: its next restatement replaces"
        " the correction.",
    )
    reverses = Id(read_only=True, allow_null=True, help_text="The spend that this one reverses.")
    reversed = serializers.BooleanField(
        read_only=True, help_text="Whether another one reverses it."
    )
    recorded_at = Instant(read_only=True)
    by = Text(read_only=True)


class RecordedSpend(SpendBody):
    """A spend just recorded, with what was decided on it in the same transaction."""

    campaign_status = Choice(Status, read_only=True)
    held = serializers.ListField(
        child=Id(), read_only=True, help_text="The campaigns that this spend paused."
    )
    released = serializers.ListField(
        child=Id(), read_only=True, help_text="The campaigns that this spend brought back."
    )


class SpendQuery(Query):
    start_date = Day(required=False, help_text="The first day.")
    end_date = Day(required=False, help_text="The last day, inclusive.")
    campaign = Id(required=False)
    brand = Id(required=False)
    source = Word()  # type: ignore[assignment]
    external_id = Word()
    spend_type = Choice(SpendType, required=False)
    kind = Choice(EntryKind, required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if {"start_date", "end_date"} <= asked.keys() and asked["end_date"] < asked["start_date"]:
            raise ValidationError({"end_date": ["The last day is before the first."]})
        return asked


class SpendView(Resource[SpendEntry]):
    """A line of the ledger. The spend that crosses a limit pauses the campaigns before the answer.

    The same `external_id` of the same `source` counts once: with the same content it is answered
    200 with what is there, with other content 409. DELETE reverses by a line that names this one,
    once, and answers with that line.
    """

    what = "spend"
    brand_path = "budget__brand"
    right_to_write = Right.RECORD_SPEND
    serializer_class = SpendBody
    filters = SpendQuery
    answers = {
        "create": {201: RecordedSpend, 200: RecordedSpend},
        "destroy": {200: SpendBody},
    }

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), CsvRenderer()] if self.action == "list" else [JSONRenderer()]

    def rows(self) -> QuerySet[SpendEntry]:
        is_reversed = Exists(SpendEntry.objects.filter(reverses=OuterRef("id")))
        entries = SpendEntry.objects.select_related("budget__brand", "budget__campaign")
        return entries.annotate(is_reversed=is_reversed).order_by("-day", "-id")

    def narrow(self, rows: QuerySet[SpendEntry], asked: Mapping[str, Any]) -> QuerySet[SpendEntry]:
        columns = {
            "start_date": "day__gte",
            "end_date": "day__lte",
            "campaign": "budget__campaign",
            "brand": "budget__brand",
            "external_id": "key",
        }
        wanted = {columns.get(name, name): value for name, value in asked.items()}
        # A generated key is not shown, so it is not found either.
        own = any(asked.get("external_id", "").startswith(kind) for kind in OWN_KEYS)
        return rows.none() if own else rows.filter(**wanted)

    def show(self, rows: Sequence[SpendEntry]) -> list[Shown]:
        return [_shown(entry, _place(entry)) for entry in rows]

    def list(self, request: Request, **_: Any) -> Any:
        if not self.wants_csv:
            return super().list(request)
        columns = [
            name for name, field in writer_of(SpendBody).fields.items() if not field.write_only
        ]
        names = ["campaign_name", "brand_name"]
        rows = self._every_row(self.narrow(self.seen(), self.asked))
        return csv_answer([*columns, *names], rows, name="spends")

    def _every_row(self, entries: QuerySet[SpendEntry]) -> Iterator[Shown]:
        serializer = writer_of(SpendBody)
        for entry in entries.iterator(chunk_size=_ROWS_AT_ONCE):
            yield {
                **serializer.to_representation(_shown(entry, _place(entry))),
                "campaign_name": entry.budget.campaign.name,
                "brand_name": entry.budget.brand.name,
            }

    def create(self, request: Request) -> Response:
        values = writer_of(SpendBody).run_validation(request.data)
        is_correction = values.pop("correction", False)
        if is_correction:
            self.check_right(Right.CORRECT_SPEND)
        spend = services.NewSpend(
            campaign_id=values.pop("campaign"), is_correction=is_correction, **values
        )
        recorded = services.record_spend(spend=spend, now=self.now, by=self.by)
        answer = _recorded(recorded, spend.campaign_id)
        status = 201 if recorded.is_new[0] else 200
        return Response(writer_of(RecordedSpend).to_representation(answer), status)

    def destroy(self, request: Request, **_: Any) -> Response:
        self.check_right(Right.CORRECT_SPEND)
        reversal, _is_new = services.reverse_spend(
            entry_id=self.kwargs["id"], now=self.now, by=self.by
        )
        return Response(self.written([self.find(reversal.id)])[0])

    def http_method_not_allowed(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> NoReturn:
        if request.method in ("PUT", "PATCH"):
            raise MethodNotAllowed(str(request.method), HOW_TO_CORRECT)
        raise MethodNotAllowed(str(request.method))


class Place(NamedTuple):
    """Where an entry belongs, and what became of it."""

    campaign_id: UUID
    brand_id: UUID
    currency: str
    is_reversed: bool


def _place(entry: SpendEntry) -> Place:
    """Return the place of an entry that came with it (`SpendView.rows`)."""
    campaign, brand = entry.budget.campaign, entry.budget.brand
    return Place(campaign.id, brand.id, brand.currency, entry.is_reversed)  # type: ignore[attr-defined]


def _shown(entry: SpendEntry | Line, place: Place) -> Shown:
    return {
        "id": entry.id,
        "campaign": place.campaign_id,
        "brand": place.brand_id,
        "amount": shown.amount(entry.amount, place.currency),
        "currency": place.currency,
        "spend_date": entry.day,
        "spend_type": entry.spend_type,
        "kind": entry.kind,
        "description": entry.description,
        "external_id": "" if entry.key.startswith(OWN_KEYS) else entry.key,
        "source": entry.source,
        "corrects_source": entry.corrects_source,
        "reverses": entry.reverses_id,
        "reversed": place.is_reversed,
        "recorded_at": entry.recorded_at,
        "by": entry.recorded_by_label,
    }


def _recorded(recorded: services.Recorded, campaign_id: UUID) -> Shown:
    """Tell one recorded spend without a statement: this is the path that machines call all day."""
    (line,), (is_reversed,) = recorded.appended.lines, recorded.is_reversed
    brand = recorded.brands[recorded.campaigns[campaign_id].brand_id]
    moves = recorded.outcome.moves
    return {
        **_shown(line, Place(campaign_id, brand.id, brand.currency, is_reversed)),
        "campaign_status": recorded.status_of(campaign_id),
        "held": [m.campaign.campaign_id for m in moves if m.status == Status.PAUSED],
        "released": [m.campaign.campaign_id for m in moves if m.status == Status.ACTIVE],
    }
