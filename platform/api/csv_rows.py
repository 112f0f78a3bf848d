"""A batch of spends as a CSV file: what the cells of its rows say, in the fields of a JSON row."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from kernel.amounts import DecimalMark, read_amount
from kernel.errors import InvalidValue
from kernel.tables import Layout, UnreadableTable, read_table, said

from .fields import Unreadable
from .parsers import read_body

ROWS_MAX = 10_000
_FLAGS = ("correction", "additional")
_FLAG_WORDS = {"true": True, "false": False}
LAYOUT = Layout(
    needed=("campaign", "amount", "spend_date"),
    known=(
        "campaign",
        "amount",
        "spend_date",
        "spend_type",
        "description",
        "external_id",
        "correction",
        "currency",
        "as_of",
        "additional",
    ),
    naming=("campaign", "spend_date", "external_id"),
    is_closed=True,
)


class CsvRowsParser(BaseParser):
    """A file as `kernel.tables` reads it, with the names of a row's fields as its header.

    An empty cell says nothing. `decimal_mark` in the address says how its amounts are written.
    """

    media_type = "text/csv"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        assert parser_context is not None, "the view gives it"
        table = read_table(read_body(stream, parser_context), LAYOUT, rows_max=ROWS_MAX)
        for row in table.rows:
            if row.fault:
                raise UnreadableTable(f"line {row.line}: {row.fault}")
        # The view has checked the query before it reads the body.
        mark = parser_context["request"].query_params.get("decimal_mark") or None
        return {"rows": [_fields(table.cells_of(row), mark) for row in table.rows]}


def _fields(cells: Mapping[str, str], decimal_mark: DecimalMark | None) -> dict[str, Any]:
    fields: dict[str, Any] = {name: text for name, cell in cells.items() if (text := said(cell))}
    for name in _FLAGS:
        if name in fields:
            fields[name] = _FLAG_WORDS.get(fields[name].lower(), fields[name])
    # Not `said`: a dash is an amount, of nothing.
    if amount := cells["amount"].strip():
        fields["amount"] = _amount(amount, decimal_mark)
    return fields


def _amount(text: str, decimal_mark: DecimalMark | None) -> Any:
    try:
        return read_amount(text, decimal_mark=decimal_mark)
    except InvalidValue as refusal:
        # Told with all else that is wrong with the rows, by the row and the field.
        return Unreadable(refusal.message)
