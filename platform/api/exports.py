"""Tables as CSV: streamed, and safe to open in a spreadsheet.

The web server takes an answer as fast as it is made and keeps it for its reader, so a slow reader
holds no connection to the database. How many are made at once is limited: each keeps a processor
busy.
"""

import csv
import io
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from kernel.deadlines import within
from kernel.errors import Busy
from kernel.spreadsheets import cell
from tenants.contexts import current_agency, tenant_context
from tenants.models import Agency

_ROWS_A_CHUNK = 200
# Of one agency in one process.
AT_ONCE_MAX = 2
SECONDS_MAX = 600
_running: Counter[str] = Counter()
_lock = threading.Lock()


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
    answer is sent after the middleware has left it. Raises Busy where the agency has as many under
    way as it may.
    """
    return StreamingHttpResponse(
        _Export(current_agency(), _lines(columns, rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class _Export:
    """An answer under way: it has one of its agency's places until it is closed."""

    def __init__(self, agency: Agency, lines: Iterator[str]) -> None:
        self._agency, self._lines = agency, lines
        self._has_place = False
        with _lock:
            if _running[agency.schema_name] >= AT_ONCE_MAX:
                raise Busy("Other exports of this agency are still being made. Try again soon.")
            _running[agency.schema_name] += 1
            self._has_place = True

    def __iter__(self) -> Iterator[str]:
        try:
            with tenant_context(self._agency), within(SECONDS_MAX) as check:
                began = time.perf_counter()
                for lines in self._lines:
                    check()
                    yield lines
                    # Others of this process get as much of it as an export does.
                    time.sleep(time.perf_counter() - began)
                    began = time.perf_counter()
        finally:
            self.close()

    def close(self) -> None:
        """Give the place back; at the end, or by the response where nobody reads to the end."""
        with _lock:
            if self._has_place:
                self._has_place = False
                _running[self._agency.schema_name] -= 1

    # Whoever drops an answer without closing it.
    __del__ = close


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
