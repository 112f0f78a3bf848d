"""Read a file of spend as its owner made it: which column is what, and what is wrong with which
line.

Pure but for the file: it names every bad value with its line and column, and stores nothing.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from budgets.limits import check_amount
from budgets.models import SpendType
from kernel.errors import DomainError

# What a column may hold; the first three are needed.
FIELDS = ("date", "campaign", "amount", "campaign_external_id", "platform", "type", "description")
_NEEDED = FIELDS[:3]
_LENGTHS = {"campaign": 200, "campaign_external_id": 100, "platform": 50, "description": 500}


class BadValue(NamedTuple):
    """What can't be read: the line in the file (1 is the header), its column, and why."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class UnreadableFile(DomainError):
    """The file can't be imported; `bad` names each value that is wrong."""

    def __init__(self, message: str, bad: Sequence[BadValue] = ()) -> None:
        super().__init__(message)
        self.bad = list(bad)


@dataclass(frozen=True, slots=True)
class SpendLine:
    """One line of the file: what a campaign spent on a local day."""

    line: int
    campaign: str
    campaign_external_id: str
    platform: str
    day: date
    amount: Decimal
    spend_type: SpendType
    description: str


def read_spend_file(
    lines: Iterable[str], *, columns: Mapping[str, str], date_format: str
) -> list[SpendLine]:
    """Return the lines of a CSV file with a header.

    `columns` maps our fields (see FIELDS) to the file's columns; a field that it does not name is
    looked for under its own name. Raises UnreadableFile, which names every bad value.
    """
    reader = csv.DictReader(lines, strict=True)
    try:
        places = _places(reader.fieldnames or (), columns)
        rows = [(reader.line_num, row) for row in reader if any(row.values())]
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num} is no CSV: {error}.") from None
    found, bad = [], []
    for line, row in rows:
        try:
            found.append(_read(line, row, places, date_format=date_format))
        except UnreadableFile as unreadable:
            bad.extend(unreadable.bad)
    if bad:
        bad.sort()
        raise UnreadableFile(f"{len(bad)} bad values; nothing was stored.", bad)
    return found


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return where each field is found. Raises UnreadableFile for what is named but not there."""
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise UnreadableFile(
            f"--map names {', '.join(unknown)}; the fields are {', '.join(FIELDS)}."
        )
    places = {field: columns.get(field, field) for field in FIELDS}
    wanted = {places[field] for field in (*columns, *_NEEDED)}
    twice = sorted(column for column in wanted if header.count(column) > 1)
    if twice:
        raise UnreadableFile(f"line 1: the column {', '.join(twice)} is there more than once.")
    missing = sorted(wanted - set(header))
    if missing:
        raise UnreadableFile(
            f"line 1: the file has no column {', '.join(missing)}; it has {', '.join(header)}."
        )
    return {field: column for field, column in places.items() if column in header}


def _read(
    line: int, row: Mapping[str, str | None], places: Mapping[str, str], *, date_format: str
) -> SpendLine:
    values = {field: (row.get(column) or "").strip() for field, column in places.items()}
    bad: list[BadValue] = []

    def refuse(field: str, message: str) -> None:
        bad.append(BadValue(line, places[field], message))

    if None in row:
        bad.append(BadValue(line, "-", "the line has more values than the header has columns."))
    for field, length in _LENGTHS.items():
        if len(values.get(field, "")) > length or "\0" in values.get(field, ""):
            refuse(field, f"it has more than {length} characters, or a NUL.")
    if not values["campaign"]:
        refuse("campaign", "the campaign's name is missing.")
    day = _day(values["date"], date_format)
    if day is None:
        refuse("date", f"{values['date']!r} is no date of the form {date_format}.")
    amount, why = _amount(values["amount"])
    if why:
        refuse("amount", why)
    spend_type = values.get("type", "").upper() or SpendType.DAILY
    if spend_type not in SpendType.values:
        refuse("type", f"{values['type']!r} is neither DAILY nor MONTHLY.")
    if bad or day is None or amount is None:
        raise UnreadableFile("a bad line", bad)
    return SpendLine(
        line=line,
        campaign=values["campaign"],
        campaign_external_id=values.get("campaign_external_id", ""),
        platform=values.get("platform", ""),
        day=day,
        amount=amount,
        spend_type=SpendType(spend_type),
        description=values.get("description", ""),
    )


def _day(text: str, date_format: str) -> date | None:
    try:
        # A calendar day has no zone; it is the brand's.
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007
    except ValueError:
        return None


def _amount(text: str) -> tuple[Decimal | None, str]:
    try:
        amount = Decimal(text)
        check_amount(amount)
    except InvalidOperation:
        return None, f"{text!r} is no amount."
    except DomainError as refusal:
        return None, refusal.message
    if amount < 0:
        return None, "a spend can't be negative."
    return amount, ""
