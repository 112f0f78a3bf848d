"""Many spends in one request, all or nothing: as JSON, or as a CSV file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Right
from budgets.models import SourceMode, SpendType
from campaigns.judgement import Outcome
from campaigns.models import Status
from campaigns.services.restatements import (
    CompleteRange,
    ReportedSpend,
    RestatedSpend,
    restate_spends,
)
from campaigns.services.spend import (
    API_SOURCE,
    BadRows,
    NewSpend,
    find_bad_spends,
    record_spends,
)
from kernel.actor import Actor
from kernel.errors import DomainError, InvalidValue

from ..bodies import Body, Query
from ..csv_rows import ROWS_MAX, CsvRowsParser
from ..fields import (
    Amount,
    Choice,
    Day,
    Flag,
    Id,
    Many,
    Moment,
    OptionalText,
    Text,
    Whole,
    Word,
    YesNo,
)
from ..parsers import StrictJSONParser
from ..rows import RowReader, Rows
from .resource import ApiView

# So many errors tell what is wrong with a file; the rows after them are not looked at.
ERRORS_SHOWN_MAX = 100
# The fields of a row that go with one mode only.
_OF_APPEND = ("external_id", "correction", "description")
_OF_RESTATE = ("as_of", "additional")


class BatchRow(Body):
    """One spend of a batch: the fields of a single post, and optionally its currency."""

    campaign = Id()
    amount = Amount()
    spend_date = Day()
    spend_type = Choice(SpendType, required=False)
    description = OptionalText(max_length=500)
    external_id = OptionalText(max_length=255)
    correction = Flag(required=False)
    currency = Text(required=False, max_length=3, help_text="Refused if the brand's is another.")
    as_of = Moment(required=False, help_text="When restating: as of when the source says so.")
    additional = Flag(
        required=False,
        help_text="When restating: spent beside what another restating source says.",
    )


class CompleteBody(Body):
    """What the source did not list in this range is nothing."""

    to = Day(help_text="The last day, inclusive.")
    campaigns = serializers.JSONField(help_text='"all", or a list of ids.')

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so it can't be declared above.
        return {"from": Day(help_text="The first day."), **super().get_fields()}

    def validate_campaigns(self, campaigns: Any) -> frozenset[UUID] | None:
        if campaigns == "all":
            return None
        ids = Many(child=Id(), most=ROWS_MAX)
        return frozenset(ids.run_validation(campaigns))


class BatchBody(Body):
    mode = Choice(
        SourceMode,
        required=False,
        help_text="append (default): each row is a spend. restate: each row is what the source"
        " reports for a campaign, day and type as of `as_of`, and the difference counts.",
    )
    source = Text(required=False, max_length=64, help_text="Who reports it. Default api.")  # type: ignore[assignment]
    rows = Rows(
        child=serializers.DictField(), most=ROWS_MAX, help_text="See a single spend's fields."
    )
    as_of = Moment(required=False, help_text="When restating: of the rows that do not say it.")
    complete = CompleteBody(required=False)
    confirm_decrease = Flag(
        required=False, help_text="Yes, a complete range falls by more than half."
    )
    additional = Flag(required=False, help_text="Of all rows.")


class BatchQuery(Query):
    """What a CSV file can't say itself: the fields of the body beside its rows."""

    mode = Choice(SourceMode, required=False)
    source = Word()  # type: ignore[assignment]
    as_of = Moment(required=False)
    complete_from = Day(required=False, help_text="`complete`, of all campaigns, from this day.")
    complete_to = Day(required=False, help_text="The last day of what is complete.")
    confirm_decrease = YesNo()
    additional = YesNo()
    decimal_mark = serializers.ChoiceField(
        [".", ","],
        required=False,
        error_messages={"invalid_choice": "One of these is wanted: a point, a comma."},
        help_text="How a CSV file writes its amounts: without it, 1,234 and 1.234 are refused.",
    )

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the words as the body has them."""
        # The parser of CSV files looks at it.
        asked.pop("decimal_mark", None)
        body = {name: value for name, value in asked.items() if value is not False}
        if "as_of" in body:
            body["as_of"] = body["as_of"].isoformat()
        ends = {name: body.pop(f"complete_{name}", None) for name in ("from", "to")}
        if any(ends.values()):
            for name, day in ends.items():
                if day is None:
                    raise ValidationError({f"complete_{name}": ["Both ends are wanted."]})
            body["complete"] = {name: str(day) for name, day in ends.items()} | {"campaigns": "all"}
        return body


class RestatedBody(Body):
    campaign = Id(read_only=True)
    spend_date = Day(read_only=True)
    spend_type = Choice(SpendType, read_only=True)
    before = Text(read_only=True, help_text="What the source had said, with corrections of it.")
    after = Text(read_only=True)


class BatchAnswer(Body):
    recorded = Whole(read_only=True, help_text="Rows that were new.")
    duplicates = Whole(read_only=True, help_text="Rows that were known with the same content.")
    reversed = serializers.BooleanField(
        read_only=True, help_text="Whether any of the duplicates was reversed: it counts no more."
    )
    reversed_rows = serializers.ListField(
        child=Whole(), read_only=True, help_text="The rows of these, from 0."
    )
    stale = Whole(read_only=True, help_text="Rows older than what the source has said since.")
    restated = serializers.ListField(child=RestatedBody(), read_only=True)
    held = serializers.ListField(child=Id(), read_only=True)
    released = serializers.ListField(child=Id(), read_only=True)


class BatchView(ApiView):
    """Record up to 10,000 spends, all or nothing; or take what a source says, and restate.

    201 if anything was new, 200 if all was known. 422 names every bad row by its index (from 0)
    and field; 409 names the rows that contradict the ledger, where nothing else is wrong. A source
    appends or restates, for life: the other mode is 409.
    """

    right_to_write = Right.RECORD_SPEND
    parser_classes = [StrictJSONParser, CsvRowsParser]
    filters = BatchQuery
    summary = "Record many spends"
    answers = {"post": {201: BatchAnswer, 200: BatchAnswer}}
    serializer_class = BatchBody

    def post(self, request: Request) -> Response:
        sent = dict(request.data)
        if twice := sorted(self.asked.keys() & sent.keys()):
            raise InvalidValue("The address and the body both say this.", field=twice[0])
        body = BatchBody(data=sent | self.asked)
        body.is_valid(raise_exception=True)
        batch = Batch(body.validated_data)
        if batch.has_corrections:
            self.check_right(Right.CORRECT_SPEND)
        errors = batch.errors
        if len(errors) >= ERRORS_SHOWN_MAX:
            return _refused(errors, 422)
        if errors:
            spends = [spend for _, spend in batch.spends]
            bad = find_bad_spends(spends=spends, now=self.now, by=self.by)
            return _refused(errors + _told(bad, [place for place, _ in batch.spends]), 422)
        try:
            answer = batch.store(now=self.now, by=self.by)
        except BadRows as bad_rows:
            status = 409 if bad_rows.are_conflicts else 422
            return _refused(_told(bad_rows.errors, range(len(batch.rows))), status)
        is_news = answer["recorded"] or answer["restated"]
        return Response(answer, 201 if is_news else 200)


class Batch:
    """A batch as it was sent: its rows read one by one, and what is wrong with each."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.source = body.get("source", API_SOURCE)
        self.is_restating = body.get("mode") == SourceMode.RESTATE
        self.rows: list[Mapping[str, Any]] = []
        self.spends: list[tuple[int, NewSpend]] = []
        self.errors: list[dict[str, Any]] = []
        strangers = _OF_APPEND if self.is_restating else _OF_RESTATE
        reader = RowReader(BatchRow())
        for index, row in enumerate(body["rows"]):
            if len(self.errors) >= ERRORS_SHOWN_MAX:
                break
            try:
                values = reader.read(row)
            except ValidationError as bad:
                self.errors.extend(_bad(index, bad))
                continue
            if self.is_restating or not values.keys().isdisjoint(strangers):
                self.errors.extend(self._misplaced(index, values, strangers))
            self.rows.append(values)
            self.spends.append((index, _spend(values, self.source)))

    def _misplaced(
        self, index: int, values: Mapping[str, Any], strangers: Sequence[str]
    ) -> Iterable[dict[str, Any]]:
        """Name the fields that belong to the other mode, and the instant that restating needs."""
        if self.is_restating and "as_of" not in values and "as_of" not in self.body:
            yield _error(index, "as_of", "As of when does the source say so?")
        mode = "append" if self.is_restating else "restate"
        for name in strangers:
            if name in values:
                yield _error(index, name, f"This goes with mode {mode}.")

    @property
    def has_corrections(self) -> bool:
        return any(spend.is_correction for _, spend in self.spends)

    def store(self, *, now: datetime, by: Actor) -> dict[str, Any]:
        """Store the batch and tell what it did. Raises BadRows and other refusals."""
        if self.is_restating:
            return self._restate(now=now, by=by)
        if stray := sorted(
            {"as_of", "complete", "confirm_decrease", "additional"} & set(self.body)
        ):
            raise InvalidValue("This goes with mode restate.", field=stray[0])
        spends = [spend for _, spend in self.spends]
        recorded = record_spends(spends=spends, now=now, by=by)
        new = sum(recorded.is_new)
        known = len(recorded.is_new) - new
        gone = [index for index, is_gone in enumerate(recorded.is_reversed) if is_gone]
        return _answer(new, known, 0, [], recorded.outcome, reversed_rows=gone)

    def _restate(self, *, now: datetime, by: Actor) -> dict[str, Any]:
        default, beside = self.body.get("as_of"), self.body.get("additional", False)
        rows = [
            ReportedSpend(
                values["campaign"],
                values["amount"],
                values["spend_date"],
                values.get("as_of", default),
                SpendType(values.get("spend_type", SpendType.DAILY)),
                values.get("currency", ""),
                values.get("additional", beside),
            )
            for values in self.rows
        ]
        result = restate_spends(
            source=self.source,
            rows=rows,
            complete=self._complete(rows),
            confirm_decrease=self.body.get("confirm_decrease", False),
            now=now,
            by=by,
        )
        restated = [_shown(change) for change in result.restated]
        return _answer(result.recorded, result.duplicates, result.stale, restated, result.outcome)

    def _complete(self, rows: Sequence[ReportedSpend]) -> CompleteRange | None:
        said = self.body.get("complete")
        if said is None:
            return None
        as_of = self.body.get("as_of") or max((row.as_of for row in rows), default=None)
        if as_of is None:
            raise InvalidValue("As of when is this complete?", field="as_of")
        return CompleteRange(said["from"], said["to"], as_of, said["campaigns"])


def _spend(values: Mapping[str, Any], source: str) -> NewSpend:
    return NewSpend(
        campaign_id=values["campaign"],
        amount=values["amount"],
        spend_date=values["spend_date"],
        spend_type=values.get("spend_type", SpendType.DAILY),
        description=values.get("description", ""),
        external_id=values.get("external_id", ""),
        source=source,
        is_correction=values.get("correction", False),
        currency=values.get("currency", ""),
    )


def _told(bad: Mapping[int, DomainError], places: Sequence[int]) -> list[dict[str, Any]]:
    return [_error(places[index], why.field, why.message) for index, why in bad.items()]


def _bad(index: int, bad: ValidationError) -> Iterable[dict[str, Any]]:
    """Tell what the serializer says of a row, a sentence at a time."""
    for field, sentences in cast(dict[str, Any], bad.detail).items():
        for sentence in sentences if isinstance(sentences, list) else [sentences]:
            yield _error(index, field, str(sentence))


def _error(row: int, field: str | None, message: str) -> dict[str, Any]:
    return {"row": row, "field": field or "", "message": message}


def _refused(errors: list[dict[str, Any]], status: int) -> Response:
    errors.sort(key=lambda error: error["row"])
    body: dict[str, Any] = {"errors": errors[:ERRORS_SHOWN_MAX]}
    if len(errors) >= ERRORS_SHOWN_MAX:
        body["detail"] = f"These are the first {ERRORS_SHOWN_MAX} errors; there may be more."
    return Response(body, status)


def _shown(change: RestatedSpend) -> dict[str, Any]:
    return {
        "campaign": str(change.campaign_id),
        "spend_date": change.spend_date.isoformat(),
        "spend_type": change.spend_type,
        "before": f"{change.before.normalize():f}",
        "after": f"{change.after.normalize():f}",
    }


def _answer(
    recorded: int,
    known: int,
    stale: int,
    restated: list[dict[str, Any]],
    outcome: Outcome,
    *,
    reversed_rows: Sequence[int] = (),
) -> dict[str, Any]:
    moves = outcome.moves
    return {
        "recorded": recorded,
        "duplicates": known,
        "reversed": bool(reversed_rows),
        "reversed_rows": list(reversed_rows),
        "stale": stale,
        "restated": restated,
        "held": [str(m.campaign.campaign_id) for m in moves if m.status == Status.PAUSED],
        "released": [str(m.campaign.campaign_id) for m in moves if m.status == Status.ACTIVE],
    }
