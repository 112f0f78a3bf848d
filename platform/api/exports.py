"""Tables as CSV: streamed, and safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from kernel.spreadsheets import cell
from tenants.contexts import current_agency, tenant_context

_ROWS_A_CHUNK = 500


class CsvRenderer(BaseRenderer):
    """Says that a view answers CSV too; the view streams it itself (`csv_answer`)."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"


def csv_answer(
    columns: Sequence[str], rows: Iterable[dict[str, Any]], *, name: str
) -> StreamingHttpResponse:
    """Answer with the columns of all rows as `NAME.csv`, a chunk at a time.

    `rows` may query while it is read: the agency's context is entered again for that, since the
    answer is sent after the middleware has left it.
    """
    return StreamingHttpResponse(
        _in_context(_lines(columns, rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _in_context(lines: Iterator[str]) -> Iterator[str]:
    agency = current_agency()

    def stream() -> Iterator[str]:
        with tenant_context(agency):
            yield from lines

    return stream()


def _lines(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for count, row in enumerate(rows, start=1):
        writer.writerow([cell(row[column]) for column in columns])
        if count % _ROWS_A_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
