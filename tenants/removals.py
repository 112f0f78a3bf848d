"""An agency goes: it is exported, and then nothing of it is left.

A `Removal` is the order until it is done; a message only says that there is one. In **one
transaction** the agency's tables are locked (which waits for whoever still writes), exported from
one snapshot, the export is read again, and schema, role and rows are dropped. So whatever dies
before the commit leaves the agency whole, and whatever dies after it leaves only what Redis
remembers, which the next try forgets. Two never work on the same one: a session's advisory lock,
which ends with whoever held it. All of this is called on the platform's schema.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from kernel.actor import Actor, ActorKind
from kernel.errors import Busy, Conflict, InvalidValue, NotFound
from kernel.transactions import atomic, refusal_of

from .contexts import owner_context
from .exports import (
    Column,
    Export,
    begin_snapshot,
    file_at,
    file_name,
    tables_of,
    write_export,
)
from .models import Agency, Removal
from .remembered import forget
from .services import remove_agency
from .suspensions import locked_agency, take_out_of_service

logger = logging.getLogger("tenants.removals")

# Longer than a request's statement may take: whoever is still at work in the agency ends first.
_LOCK_SECONDS = 60
# Names this among advisory locks, which are the database's and not a schema's.
_WORK = "removal of "
_REASON = "It is being deleted."

State = Literal["waiting", "working", "failed"]


@atomic
def begin_removal(
    *, agency_id: int, typed_slug: str, now: datetime, by: Actor, export_path: Path | None = None
) -> Removal:
    """Order that an agency is exported and deleted; from now on nobody is served there.

    Raises NotFound; InvalidValue where `typed_slug` is not the agency's, so that nobody deletes the
    one beside it; Conflict where it is ordered already, or there is nothing to delete yet.
    """
    agency = locked_agency(agency_id)
    if typed_slug.strip() != agency.slug:
        raise InvalidValue(
            f"Type “{agency.slug}”, so that no other agency is deleted by a slip.", field="slug"
        )
    if not agency.is_ready:
        raise Conflict(f"{agency.name} is not ready yet: another order of its address replaces it.")
    if Removal.objects.filter(agency=agency).exists():
        raise Conflict(f"{agency.name} is being deleted already.")
    if agency.is_active:
        take_out_of_service(agency, reason=_REASON, now=now, by=by)
    return Removal.objects.create(
        agency=agency,
        slug=agency.slug,
        schema_name=agency.schema_name,
        export_path=str(export_path or exports_folder() / file_name(agency, now=now)),
        asked_at=now,
        asked_by_kind=by.kind,
        asked_by_id=by.id,
        asked_by_label=by.label,
    )


def take_up(*, slug: str, export: Path | None, now: datetime, by: Actor) -> Removal:
    """Return the removal of an agency, ordered here or before, whatever has become of it so far.

    `export` is a file, or a folder for one. Raises NotFound, and what `begin_removal` raises.
    """
    agency = Agency.objects.filter(slug=slug).first()
    if agency is None:
        # All but what Redis remembers may be gone.
        left = Removal.objects.filter(slug=slug, agency=None).first()
        if left is None:
            raise NotFound(f"No agency has the slug {slug!r}.")
        return left
    path = None if export is None else file_at(export, agency, now=now)
    begun = Removal.objects.filter(agency=agency).first()
    if begun is None:
        return begin_removal(agency_id=agency.pk, typed_slug=slug, now=now, by=by, export_path=path)
    if path is not None:
        begun.export_path = str(path)
    begun.error = ""
    begun.save(update_fields=["export_path", "error"])
    return begun


def keep(*, agency_id: int) -> Agency:
    """Take the order back, as long as nobody works on it. The agency stays suspended.

    Raises Conflict where there is none, or it is too late.
    """
    removal = Removal.objects.select_related("agency").filter(agency_id=agency_id).first()
    if removal is None or removal.agency is None:
        raise Conflict("This agency is not being deleted.")
    # Longer than the deletion of the order takes: whoever comes next must not find it any more.
    with _alone(removal) as is_alone:
        if not is_alone:
            raise Conflict(f"{removal.agency.name} is being exported and deleted right now.")
        removal.delete()
    return removal.agency


def state_of(removal: Removal) -> State:
    """Tell how far it is."""
    if removal.error:
        return "failed"
    return "working" if removal.begun_at else "waiting"


def due() -> list[int]:
    """Return the ids of the removals that are not done and have not failed."""
    return list(Removal.objects.filter(error="").order_by("pk").values_list("pk", flat=True))


def try_again(agency_id: int) -> int | None:
    """Let a removal that failed be taken up again, and return its id; None: there is none."""
    removal = Removal.objects.filter(agency_id=agency_id).exclude(error="").first()
    if removal is None:
        return None
    Removal.objects.filter(pk=removal.pk).update(error="", begun_at=None)
    return removal.pk


def remove(removal_id: int, *, now: datetime) -> Export | None:
    """Do all that is left of a removal; return the export where this was what wrote it.

    Raises what went wrong, after it is noted. Busy, redis.RedisError: nobody has to decide
    anything, the same succeeds later. A removal that is done already is no error.
    """
    with owner_context():
        removal = Removal.objects.filter(pk=removal_id).first()
        if removal is None:
            return None
        with _alone(removal) as is_alone:
            if not is_alone:
                raise Busy(f"Somebody else is deleting {removal.slug} right now.")
            return _remove(removal_id, now=now)


def _remove(removal_id: int, *, now: datetime) -> Export | None:
    # Read once more: whoever worked on it until now may have finished it.
    removal = Removal.objects.select_related("agency").filter(pk=removal_id).first()
    if removal is None:
        return None
    export = None
    if removal.agency is not None:
        Removal.objects.filter(pk=removal_id).update(begun_at=now)
        try:
            export = _erase(removal, removal.agency, now=now)
        except Exception as failure:
            raise _noted(removal_id, failure) from failure
    forgotten = forget(removal.schema_name)
    Removal.objects.filter(pk=removal_id).delete()
    logger.info(
        "agency deleted agency=%s export=%s keys=%d", removal.slug, removal.export_path, forgotten
    )
    return export


def _noted(removal_id: int, failure: Exception) -> Exception:
    """Note why it failed, unless it is only a matter of time; return what is to be raised."""
    refusal = refusal_of(failure)
    if refusal is not None:
        Removal.objects.filter(pk=removal_id).update(begun_at=None)
        return refusal
    error = f"{type(failure).__name__}: {failure}"[:2000]
    Removal.objects.filter(pk=removal_id).update(begun_at=None, error=error)
    return failure


def _erase(removal: Removal, agency: Agency, *, now: datetime) -> Export:
    """Export and drop, all or nothing."""
    path = Path(removal.export_path)
    if path.parent == exports_folder():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Asked before: in the transaction it would be the snapshot's beginning, and the locks come
    # first.
    tables = tables_of(agency.schema_name)
    with transaction.atomic():
        begin_snapshot()
        _lock(agency.schema_name, tables)
        if tables_of(agency.schema_name) != tables:
            raise Conflict("Its tables were migrated meanwhile.")
        # Who took the order back meanwhile is believed.
        Removal.objects.select_for_update().get(pk=removal.pk)
        locked_agency(agency.pk)
        export = write_export(agency, path, tables=tables, now=now)
        _write_journal(removal, agency, export)
        remove_agency(agency)
        _remove_files(agency)
    return export


def _lock(schema_name: str, tables: dict[str, list[Column]]) -> None:
    """Wait until nobody is at work in the schema, and let nobody begin."""
    names = sql.SQL(", ").join(sql.Identifier(schema_name, table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))


def _write_journal(removal: Removal, agency: Agency, export: Export) -> None:
    """Tell in the staff's journal who had it deleted, and where the export lies."""
    staff = get_user_model()._default_manager
    if removal.asked_by_kind != ActorKind.PERSON:
        return
    if not staff.filter(pk=UUID(removal.asked_by_id)).exists():
        return
    kind, _ = ContentType.objects.get_or_create(app_label="tenants", model="agency")
    LogEntry.objects.create(
        user_id=removal.asked_by_id,
        content_type_id=kind.pk,
        object_id=str(agency.pk),
        object_repr=agency.name[:200],
        action_flag=DELETION,
        change_message=(
            f"Deleted with all of its data. The export, {export.rows} rows of {export.tables}"
            f" tables, is {export.path} (SHA-256 {export.sha256})."
        ),
    )


def _remove_files(agency: Agency) -> None:
    """Delete what is kept for the agency outside of the database."""
    for pattern in settings.AGENCY_FILES:
        Path(settings.PACELINE_HOME, pattern.format(slug=agency.slug)).unlink(missing_ok=True)


def exports_folder() -> Path:
    """Where exports are kept, unless a command says otherwise."""
    return Path(settings.PACELINE_HOME) / "exports"


@contextmanager
def _alone(removal: Removal) -> Iterator[bool]:
    """Yield whether nobody else works on the removal, and keep others away meanwhile."""
    name = f"{_WORK}{removal.schema_name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        [is_alone] = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
            except DatabaseError:
                # The connection is gone, and the lock with it.
                logger.warning("no connection to unlock agency=%s", removal.slug)
