"""All that an agency has, in one file that any machine can read: for its owner, and for the day on
which it goes.

A ZIP with a file of JSON lines for each table, and a manifest that says what there is, how many
rows, and the SHA-256 of each file. Values are exact: decimals are strings, null is null. What lets
somebody in (passwords, keys, second factors, sessions) is left out, and the manifest says so.

What was written is read again and held against the rows that the database counts in the same
snapshot: only then does the file get its name.
"""

import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from django.db import connection, transaction
from psycopg import sql

from kernel.errors import DomainError

from .contexts import owner_context
from .models import Agency, Domain

FORMAT = "paceline-export"
VERSION = 1
MANIFEST = "manifest.json"
# What lets somebody in; a test looks for columns that sound like it and are not told here.
SECRET_TABLES = frozenset({"django_session"})
SECRET_COLUMNS = {
    "accounts_apikey": {"secret_hash"},
    "accounts_invitation": {"token_hash"},
    "accounts_user": {"password"},
    "account_emailconfirmation": {"key"},
    "mfa_authenticator": {"data"},
}
_NOTES = [
    "Each file in tables/ has the rows of one table as JSON lines: UTF-8, one object a row, in no"
    " particular order.",
    "Values are exact. Decimals are strings, so that no reader rounds them; instants are ISO 8601"
    " in UTC; bytes are hexadecimal behind \\x; null is null.",
    "All rows are of one snapshot of the database.",
    "What lets somebody in was left out: passwords, what keys and links are checked with, second"
    " factors, sessions.",
]
_CHUNK_BYTES = 1 << 20
_TABLES = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
    ORDER BY c.relname, a.attnum
"""


class UnableToExport(DomainError):
    """The export could not be written, or is not what the database holds."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, with PostgreSQL's name of its type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """What the manifest says of one table."""

    name: str
    file: str
    rows: int
    sha256: str
    columns: list[Column]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is whole: where it lies, what is in it, and its own SHA-256."""

    path: Path
    tables: int
    rows: int
    sha256: str


def export_agency(agency: Agency, path: Path, *, now: datetime) -> Export:
    """Write all that an agency has as of one instant. Nobody waits for it.

    Raises UnableToExport, and OSError where the file can't be written.
    """
    with owner_context():
        # What is sent when a context is entered would be the snapshot's beginning.
        tables = tables_of(agency.schema_name)
        with transaction.atomic():
            begin_snapshot()
            return write_export(agency, path, tables=tables, now=now)


def file_name(agency: Agency, *, now: datetime) -> str:
    """Return what an export is called where nobody says otherwise."""
    return f"{agency.slug}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"


def file_at(path: Path, agency: Agency, *, now: datetime) -> Path:
    """Return the file that a person means by `path`: itself, or one in the folder that it is."""
    path = path.expanduser().absolute()
    return path / file_name(agency, now=now) if path.is_dir() else path


def begin_snapshot() -> None:
    """Make a transaction that has only just begun read from one snapshot, however long it takes."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def tables_of(schema_name: str) -> dict[str, list[Column]]:
    """Return the columns of every table of a schema, by the table's name."""
    tables: dict[str, list[Column]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [schema_name])
        for table, column, kind in cursor.fetchall():
            tables.setdefault(table, []).append(Column(column, kind))
    return tables


def write_export(
    agency: Agency, path: Path, *, tables: Mapping[str, list[Column]], now: datetime
) -> Export:
    """Write the tables of an agency and read them again, in a snapshot of the owner's.

    `path` gets the file when it is whole; an older export of the same agency there is replaced.
    Raises UnableToExport, and OSError.
    """
    _check_place(path, agency)
    part = path.with_name(f".{path.name}.part")
    # What a killed process left.
    part.unlink(missing_ok=True)
    try:
        with _private(part) as file:
            with ZipFile(file, "w", ZIP_DEFLATED) as archive:
                _write(archive, agency, tables=tables, now=now)
            file.flush()
            os.fsync(file.fileno())
        rows = check_export(part, _counted(agency.schema_name, tables))
        digest = _digest(part)
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
    return Export(path, len(rows), sum(rows.values()), digest)


def check_export(path: Path, expected: Mapping[str, int]) -> dict[str, int]:
    """Read an export again, line by line, and return the rows of each table.

    Raises UnableToExport where a file is damaged, or its rows are not as many as `expected` says.
    """
    try:
        with ZipFile(path) as archive:
            told = json.loads(archive.read(MANIFEST))["tables"]
            found = {table["name"]: _read(archive, table) for table in told}
    except (BadZipFile, KeyError, ValueError, EOFError, zlib.error) as damage:
        raise UnableToExport(f"The export can't be read again: {damage}.") from damage
    for table in sorted(expected.keys() | found.keys()):
        if expected.get(table) != found.get(table):
            raise UnableToExport(
                f"The export has {found.get(table, 'no')} rows of {table}, the database has"
                f" {expected.get(table, 'none')}."
            )
    return found


def _check_place(path: Path, agency: Agency) -> None:
    """Raise UnableToExport where something else would be overwritten."""
    if not path.exists():
        return
    try:
        with ZipFile(path) as archive:
            owner = json.loads(archive.read(MANIFEST))["schema"]
    except (OSError, BadZipFile, KeyError, ValueError):
        owner = None
    if owner != agency.schema_name:
        raise UnableToExport(f"{path} is there already, and is no export of {agency.name}.")


def _private(path: Path) -> IO[bytes]:
    """Create a file that only its owner can read."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _sync_folder(folder: Path) -> None:
    """Let a file's new name outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write(
    archive: ZipFile, agency: Agency, *, tables: Mapping[str, list[Column]], now: datetime
) -> None:
    exported = [
        _write_table(archive, agency.schema_name, name, columns, now=now)
        for name, columns in tables.items()
        if name not in SECRET_TABLES
    ]
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "taken_at": now.astimezone(UTC).isoformat(),
        "schema": agency.schema_name,
        "agency": {
            "name": agency.name,
            "slug": agency.slug,
            "created_at": agency.created_at.isoformat(),
            "hosts": sorted(domain.host for domain in Domain.objects.filter(tenant=agency)),
        },
        "notes": _NOTES,
        "tables": [asdict(table) for table in exported],
        "left_out": sorted(SECRET_TABLES & tables.keys()),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    archive.writestr(_entry(MANIFEST, now), text + "\n", ZIP_DEFLATED)


def _write_table(
    archive: ZipFile, schema_name: str, name: str, columns: Sequence[Column], *, now: datetime
) -> ExportedTable:
    secret = SECRET_COLUMNS.get(name, set())
    kept = [column for column in columns if column.name not in secret]
    left_out = sorted(column.name for column in columns if column.name in secret)
    file, rows, digest = f"tables/{name}.jsonl", 0, sha256()
    with (
        archive.open(_entry(file, now), "w", force_zip64=True) as out,
        # The rows of a COPY come by psycopg's own way, and its errors too.
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(_lines_of(schema_name, name, kept)) as lines,
    ):
        lines.set_types(["text"])
        for (line,) in lines.rows():
            data = f"{line}\n".encode()
            out.write(data)
            digest.update(data)
            rows += 1
    return ExportedTable(name, file, rows, digest.hexdigest(), kept, left_out)


def _lines_of(schema_name: str, table: str, columns: Iterable[Column]) -> sql.Composed:
    """Return the COPY that sends each row as a JSON object."""
    parts = [
        sql.SQL("{0}::text{1} AS {0}").format(
            sql.Identifier(column.name), sql.SQL("[]" if column.type.endswith("[]") else "")
        )
        if column.type.startswith("numeric")
        else sql.Identifier(column.name)
        for column in columns
    ]
    return sql.SQL("COPY (SELECT row_to_json(r) FROM (SELECT {} FROM {}) AS r) TO STDOUT").format(
        sql.SQL(", ").join(parts), sql.Identifier(schema_name, table)
    )


def _entry(name: str, now: datetime) -> ZipInfo:
    entry = ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o600 << 16
    return entry


def _counted(schema_name: str, tables: Iterable[str]) -> dict[str, int]:
    """Return how many rows each table has, in the same snapshot."""
    counts = {}
    with connection.cursor() as cursor:
        for table in tables:
            if table in SECRET_TABLES:
                continue
            name = sql.Identifier(schema_name, table)
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
            counts[table] = cursor.fetchone()[0]
    return counts


def _read(archive: ZipFile, table: Mapping[str, Any]) -> int:
    """Return how many rows a table's file has. Raises ValueError for any other than was written."""
    rows, digest = 0, sha256()
    with archive.open(table["file"]) as file:
        for line in file:
            json.loads(line)
            digest.update(line)
            rows += 1
    if digest.hexdigest() != table["sha256"] or rows != table["rows"]:
        raise ValueError(f"{table['file']} is not what was written")
    return rows
