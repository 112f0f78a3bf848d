"""Tables in text files as spreadsheets and ad platforms make them: from bytes to header and rows.

Read are UTF-8, and UTF-16 with its mark (what Google Ads calls "Excel .csv"); cells parted by
comma, semicolon or tab; every kind of line end; a report's title above the header; totals at its
end. What could be read in two ways is refused, with the line (1 is the first of the file).
"""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .errors import InvalidValue

# What ad platforms write where there is nothing: two hyphens, a dash.
DASHES = frozenset(("--", "\N{EN DASH}", "\N{EM DASH}"))
TITLE_LINES_MAX = 20
_HEAD_CHARACTERS_MAX = 100_000
TOTALS_MAX = 20
# A spreadsheet may have many below its rows; to read millions of them takes seconds.
BLANK_LINES_MAX = 100_000
_DELIMITERS = ",;\t"
_SHOWN_MAX = 40
_LINE_END = re.compile(r"\r\n?|\n")
_TOTALS = re.compile(r"((grand|overall)\s+|sub-?\s?)?totals?\s*([:(].*)?", re.IGNORECASE)


class UnreadableTable(InvalidValue):
    """The file is no table that can be read; the sentence names the line."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a reader expects of a table: the names of columns."""

    needed: Collection[str]
    # All that it reads; each may be there once.
    known: Collection[str]
    # Those that say what a row is about: a row of totals names nothing there.
    naming: Collection[str]
    # Whether a column that is not known is refused.
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the line on which it begins, a cell for each column, and what is wrong with it."""

    line: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, and those of totals at its end, which are no rows of it."""

    places: Mapping[str, int]
    rows: list[Row]
    totals: list[Row]

    def cells_of(self, row: Row) -> dict[str, str]:
        """Return the cells of a row by the names of the known columns that the table has."""
        return {name: row.cells[place] for name, place in self.places.items()}


def said(cell: str) -> str:
    """Return what a cell says: without blanks around it, and nothing for a lone dash."""
    text = cell.strip()
    return "" if text in DASHES else text


def is_totals_label(text: str) -> bool:
    """Return whether a text is what totals are called: `Total`, `Grand total`, `Total: Account`.

    Not `Total Wine`, which is a company.
    """
    return _TOTALS.fullmatch(text.strip()) is not None


def read_table(data: bytes, layout: Layout, *, rows_max: int | None = None) -> Table:
    """Return the table that a file holds; blank lines are no rows. Raises UnreadableTable."""
    text = _decode(data)
    delimiter, header_line = _header_place(text, layout)
    lines = _lines(text, delimiter)
    head = next((row for row in lines if row.line == header_line), None)
    if head is None:
        raise UnreadableTable("The file is empty.")
    header = _without_empty_end([name.strip() for name in head.cells])
    _check_header(header, header_line, layout)
    rows = []
    for row in lines:
        if row.cells == head.cells:
            raise UnreadableTable(f"line {row.line} repeats the header: are these two files?")
        rows.append(_fitted(row, len(header)))
        if rows_max is not None and len(rows) > rows_max + TOTALS_MAX:
            break
    places = {name: place for place, name in enumerate(header) if name in layout.known}
    naming = [places[name] for name in layout.naming if name in places]
    totals: list[Row] = []
    while rows and len(totals) < TOTALS_MAX and _is_totals(rows[-1], naming):
        totals.insert(0, rows.pop())
    if rows_max is not None and len(rows) > rows_max:
        raise UnreadableTable(f"The file has more than {rows_max:,} rows.", field="rows")
    return Table(places, rows, totals)


def _decode(data: bytes) -> str:
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableTable(
            "The file is not in UTF-8, nor in UTF-16 with its mark (BOM), or it is cut off."
        ) from None
    if "\0" in text:
        line = 1 + len(_LINE_END.findall(text, 0, text.index("\0")))
        raise UnreadableTable(
            f"line {line} contains the character NUL. Is the file in UTF-16 without its mark (BOM)?"
        )
    return text


def _lines(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the lines that are not blank. Raises UnreadableTable."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    blank = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableTable(f"line {line} is no CSV: {_cause(error)}.") from None
        if any(cell and not cell.isspace() for cell in cells):
            yield Row(line, cells)
        elif (blank := blank + 1) > BLANK_LINES_MAX:
            raise UnreadableTable(f"The file has more than {BLANK_LINES_MAX:,} blank lines.")


def _cause(error: csv.Error) -> str:
    told = str(error)
    if "unexpected end of data" in told:
        return "a quoted cell begins in it and never ends"
    if "field larger than" in told:
        return "a cell is too long, or is quoted and never ends"
    if "expected after" in told:
        return "more follows where a quoted cell has ended"
    return told


def _header_place(text: str, layout: Layout) -> tuple[str, int]:
    """Return the delimiter and the line of the header: where most of the needed columns stand."""
    best, delimiter, line = -1, _DELIMITERS[0], 1
    head = text[:_HEAD_CHARACTERS_MAX]
    for candidate in _DELIMITERS:
        try:
            for row in islice(_lines(head, candidate), TITLE_LINES_MAX):
                found = len({name.strip() for name in row.cells} & set(layout.needed))
                if found > best:
                    best, delimiter, line = found, candidate, row.line
        except UnreadableTable:
            # With the right delimiter it is met again, and told.
            continue
    return delimiter, line


def _check_header(header: Sequence[str], line: int, layout: Layout) -> None:
    twice = sorted({name for name in header if name in layout.known and header.count(name) > 1})
    if twice:
        raise UnreadableTable(f"line {line}: the column {_shown(twice)} is there more than once.")
    missing = [name for name in layout.needed if name not in header]
    if missing:
        raise UnreadableTable(
            f"line {line}: the file has no column {_shown(missing)}; it has {_shown(header)}."
        )
    strange = [name for name in header if name not in layout.known]
    if layout.is_closed and strange:
        raise UnreadableTable(
            f"line {line}: there is no field {_shown(strange)}; the fields are"
            f" {_shown(sorted(layout.known))}."
        )


def _shown(names: Sequence[str]) -> str:
    told = [name[:_SHOWN_MAX] or "(without a name)" for name in names[:_SHOWN_MAX]]
    return ", ".join(told if len(names) <= _SHOWN_MAX else [*told, "…"])


def _without_empty_end(cells: list[str]) -> list[str]:
    # Spreadsheets end each line with as many delimiters as their widest one has.
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _fitted(row: Row, width: int) -> Row:
    """Return the row with a cell for each of the `width` columns, and its fault if it had not."""
    count = len(row.cells)
    if count == width:
        return row
    if count < width:
        # It may have been cut off: what it does not say is not known to be nothing.
        fault = f"the line has {count} values, and the header {width} columns."
        return Row(row.line, row.cells + [""] * (width - count), fault)
    is_longer = any(cell.strip() for cell in row.cells[width:])
    fault = "the line has more values than the header has columns." if is_longer else ""
    return Row(row.line, row.cells[:width], fault)


def _is_totals(row: Row, naming: Sequence[int]) -> bool:
    """Return whether a row says that it is one of totals, and names nothing that was spent on."""
    names = [said(row.cells[place]) for place in naming]
    is_nameless = all(not name or is_totals_label(name) for name in names)
    return is_nameless and any(is_totals_label(cell) for cell in row.cells)
