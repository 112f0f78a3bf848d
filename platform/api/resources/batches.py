"""Many spends in one request, all or nothing: as JSON, or as a CSV file."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, NamedTuple

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Right
from budgets.models import SpendType
from campaigns.models import Status
from campaigns.services import spend as services
from campaigns.services.spend import BadRows, NewSpend, Recorded
from kernel.errors import DomainError

from ..bodies import Body, Query
from ..fields import Amount, Choice, Day, Flag, Id, OptionalText, Text, Whole, Word
from ..parsers import StrictJSONParser
from .resource import ApiView
from .spends import check_key

ROWS_MAX = 10_000
ERRORS_SHOWN_MAX = 1_000
_EMPTY = (None, "")
_FLAGS = {"true": True, "false": False}


class CsvRowsParser(BaseParser):
    """A CSV file in UTF-8 with a header: the names of a row's fields, in any order."""

    media_type = "text/csv"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            text = stream.read().decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            rows = [_without_empty(row) for row in reader]
        except UnicodeDecodeError:
            raise ParseError("The file is not in UTF-8.") from None
        except csv.Error as error:
            raise ParseError(f"The file is no valid CSV: {error}.") from None
        if "\0" in text:
            raise ParseError("A text can't contain the character NUL.")
        return {"rows": rows}


def _without_empty(row: Mapping[str | None, Any]) -> dict[str, Any]:
    """Return the cells that say something; a row that is longer than the header is malformed."""
    if None in row:
        raise csv.Error("a row has more cells than the header")
    said = {str(name): cell for name, cell in row.items() if cell not in _EMPTY}
    if "correction" in said:
        said["correction"] = _FLAGS.get(said["correction"].lower(), said["correction"])
    return said


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

    def validate_external_id(self, key: str) -> str:
        return check_key(key)


class BatchBody(Body):
    source = Text(required=False, max_length=64, help_text="Who reports it. Default api.")  # type: ignore[assignment]
    rows = serializers.ListField(
        child=serializers.DictField(), max_length=ROWS_MAX, help_text="See a single spend's fields."
    )


class BatchQuery(Query):
    """What a CSV file can't say itself."""

    source = Word()  # type: ignore[assignment]


class BatchAnswer(Body):
    recorded = Whole(read_only=True, help_text="Rows that were new.")
    duplicates = Whole(read_only=True, help_text="Rows that were known with the same content.")
    held = serializers.ListField(child=Id(), read_only=True)
    released = serializers.ListField(child=Id(), read_only=True)


class BatchView(ApiView):
    """Record up to 10,000 spends, all or nothing.

    201 if any was new, 200 if all were known. 422 names every bad row by its index (from 0) and
    field; 409 names the rows that contradict the ledger, where nothing else is wrong.
    """

    right_to_write = Right.RECORD_SPEND
    parser_classes = [StrictJSONParser, CsvRowsParser]
    filters = BatchQuery
    summary = "Record many spends"
    answers = {"post": {201: BatchAnswer, 200: BatchAnswer}}
    serializer_class = BatchBody

    def post(self, request: Request) -> Response:
        body = BatchBody(data=dict(request.data) | self.asked)
        body.is_valid(raise_exception=True)
        source = body.validated_data.get("source", services.API_SOURCE)
        read = read_rows(body.validated_data["rows"], source=source)
        if any(spend.is_correction for spend in read.spends):
            self.check_right(Right.CORRECT_SPEND)
        if read.errors:
            bad = services.find_bad_spends(spends=read.spends, now=self.now)
            return _refused(read.errors + _told(bad, read.places), 422)
        try:
            recorded = services.record_spends(spends=read.spends, now=self.now, by=self.by)
        except BadRows as bad_rows:
            status = 409 if bad_rows.are_conflicts else 422
            return _refused(_told(bad_rows.errors, read.places), status)
        answer = batch_answer(recorded)
        return Response(answer, 201 if answer["recorded"] else 200)


class ReadRows(NamedTuple):
    """The spends of the rows that could be read, their places, and what is wrong elsewhere."""

    spends: list[NewSpend]
    places: list[int]
    errors: list[dict[str, Any]]


def read_rows(rows: Sequence[Mapping[str, Any]], *, source: str) -> ReadRows:
    """Read the rows; those that can't be are told by their index, from 0."""
    read = ReadRows([], [], [])
    for index, row in enumerate(rows):
        checked = BatchRow(data=row)
        if checked.is_valid():
            read.spends.append(_spend(checked.validated_data, source))
            read.places.append(index)
            continue
        for field, sentences in _flat(checked.errors):
            read.errors.extend(_error(index, field, str(sentence)) for sentence in sentences)
    return read


def _told(bad: Mapping[int, DomainError], places: Sequence[int]) -> list[dict[str, Any]]:
    return [_error(places[index], why.field, why.message) for index, why in bad.items()]


def _refused(errors: list[dict[str, Any]], status: int) -> Response:
    errors.sort(key=lambda error: error["row"])
    return Response({"errors": errors[:ERRORS_SHOWN_MAX]}, status)


def _flat(errors: Any) -> Iterable[tuple[str, Iterable[Any]]]:
    for field, sentences in errors.items():
        yield field, sentences if isinstance(sentences, list) else [sentences]


def _error(row: int, field: str | None, message: str) -> dict[str, Any]:
    return {"row": row, "field": field or "", "message": message}


def _spend(values: Mapping[str, Any], source: str) -> NewSpend:
    return NewSpend(
        campaign_id=values["campaign"],
        amount=values["amount"],
        spend_date=values["spend_date"],
        spend_type=SpendType(values.get("spend_type", SpendType.DAILY)),
        description=values.get("description", ""),
        external_id=values.get("external_id", ""),
        source=source,
        is_correction=values.get("correction", False),
        currency=values.get("currency", ""),
    )


def batch_answer(recorded: Recorded) -> dict[str, Any]:
    """Tell what a batch did."""
    new = sum(recorded.is_new)
    moves = recorded.outcome.moves
    return {
        "recorded": new,
        "duplicates": len(recorded.is_new) - new,
        "held": [str(m.campaign.campaign_id) for m in moves if m.status == Status.PAUSED],
        "released": [str(m.campaign.campaign_id) for m in moves if m.status == Status.ACTIVE],
    }
