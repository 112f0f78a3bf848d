"""Read a file of spend as its owner made it: which column is what, and what is wrong with which
line.

Pure: it names every bad value with its line and column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from budgets.limits import check_amount
from budgets.models import SpendType
from kernel.amounts import DecimalMark, read_amount
from kernel.errors import DomainError
from kernel.tables import Layout, Row, Table, UnreadableTable, is_totals_label, read_table, said

# What a column may hold; the first three are needed.
FIELDS = ("date", "campaign", "amount", "campaign_external_id", "platform", "type", "description")
_NEEDED = FIELDS[:3]
_NAMING = ("date", "campaign", "campaign_external_id")
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


@dataclass(frozen=True, slots=True)
class SpendFile:
    """The lines of a file, and on which of its lines are totals, which are passed over."""

    lines: list[SpendLine]
    totals: list[int]


def read_spend_file(
    data: bytes,
    *,
    columns: Mapping[str, str],
    date_format: str,
    decimal_mark: DecimalMark | None = None,
) -> SpendFile:
    """Return what a file with a header says (`kernel.tables` tells of which kind it may be).

    `columns` maps our fields (see FIELDS) to the file's columns; a field that it does not name is
    looked for under its own name. Amounts are read as by `kernel.amounts`. Raises UnreadableFile,
    which names every bad value.
    """
    places = _places(columns)
    layout = Layout(
        needed=[places[field] for field in dict.fromkeys((*_NEEDED, *columns))],
        known=places.values(),
        naming=[places[field] for field in _NAMING],
    )
    try:
        table = read_table(data, layout)
    except UnreadableTable as unreadable:
        raise UnreadableFile(unreadable.message) from None
    if not table.rows:
        raise UnreadableFile("The file has a header and no lines of spend.")
    found, bad = [], []
    for row in table.rows:
        try:
            found.append(_read(row, table, places, date_format, decimal_mark))
        except UnreadableFile as unreadable:
            bad.extend(unreadable.bad)
    if bad:
        bad.sort()
        raise UnreadableFile(f"{len(bad)} bad values; nothing was stored.", bad)
    return SpendFile(found, [row.line for row in table.totals])


def _places(columns: Mapping[str, str]) -> dict[str, str]:
    """Return under which name each field is looked for. Raises UnreadableFile."""
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise UnreadableFile(
            f"--map names {', '.join(unknown)}; the fields are {', '.join(FIELDS)}."
        )
    return {field: columns.get(field, field) for field in FIELDS}


def _read(
    row: Row,
    table: Table,
    places: Mapping[str, str],
    date_format: str,
    decimal_mark: DecimalMark | None,
) -> SpendLine:
    cells = table.cells_of(row)
    values = {field: said(cells.get(column, "")) for field, column in places.items()}
    bad: list[BadValue] = []

    def refuse(field: str, message: str) -> None:
        bad.append(BadValue(row.line, places[field], message))

    if row.fault:
        bad.append(BadValue(row.line, "-", row.fault))
    for field, length in _LENGTHS.items():
        if len(values[field]) > length:
            refuse(field, f"it has more than {length} characters.")
    if not values["campaign"]:
        refuse("campaign", "the campaign's name is missing.")
    elif is_totals_label(values["campaign"]) and not values["campaign_external_id"]:
        refuse(
            "campaign",
            f"{values['campaign']!r} are totals, not a campaign: they are passed over only at the"
            " end of the file, and without a date.",
        )
    day = _day(values["date"], date_format)
    if day is None:
        refuse("date", f"{values['date']!r} is no date of the form {date_format}.")
    # Not `said`: a dash is an amount, of nothing.
    amount, why = _amount(cells[places["amount"]], decimal_mark)
    if why:
        refuse("amount", why)
    spend_type = values["type"].upper() or SpendType.DAILY
    if spend_type not in SpendType.values:
        refuse("type", f"{values['type']!r} is neither DAILY nor MONTHLY.")
    if bad or day is None or amount is None:
        raise UnreadableFile("a bad line", bad)
    return SpendLine(
        line=row.line,
        campaign=values["campaign"],
        campaign_external_id=values["campaign_external_id"],
        platform=values["platform"],
        day=day,
        amount=amount,
        spend_type=SpendType(spend_type),
        description=values["description"],
    )


def _day(text: str, date_format: str) -> date | None:
    try:
        # A calendar day has no zone; it is the brand's.
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007
    except ValueError:
        return None


def _amount(text: str, decimal_mark: DecimalMark | None) -> tuple[Decimal | None, str]:
    try:
        amount = read_amount(text, decimal_mark=decimal_mark)
        check_amount(amount)
    except DomainError as refusal:
        return None, refusal.message
    if amount < 0:
        return None, "a spend can't be negative."
    return amount, ""
