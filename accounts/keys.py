"""API keys: made with at most their maker's access, and gone with their maker."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connection

from kernel.errors import InvalidValue, NotAllowed, NotFound
from kernel.transactions import atomic

from .access import Access
from .models import ApiKey, User, create_api_key
from .roles import Right, Role

logger = logging.getLogger(__name__)

NAME_LENGTH_MAX = 100
# A key that is used all day is noted so often, and no more.
NOTED_SECONDS = 60


@atomic
def make_key(
    *,
    name: str,
    role: Role,
    brand_ids: Collection[UUID] | None = None,
    expires_at: datetime | None = None,
    maker: User | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key, and return it with its secret, which is never shown again.

    `brand_ids` None: it sees all brands. `maker` None: the operator makes it, by a command. Raises
    InvalidValue, and NotAllowed for more than the maker has.
    """
    if not 1 <= len(name.strip()) <= NAME_LENGTH_MAX:
        raise InvalidValue(f"A key's name has 1 to {NAME_LENGTH_MAX} characters.", field="name")
    if expires_at is not None and expires_at <= now:
        raise InvalidValue("A key can't have expired before it is made.", field="expires_at")
    if brand_ids is None and role == Role.CLIENT_VIEWER:
        raise InvalidValue("A client viewer's key needs at least one brand.", field="brands")
    if brand_ids is not None and not brand_ids:
        raise InvalidValue("Name a brand, or limit it to none.", field="brands")
    if maker is not None:
        _check_maker(maker.id, Access.of(role, brand_ids))
    return create_api_key(
        name=name.strip(),
        role=role,
        brand_ids=brand_ids,
        expires_at=expires_at,
        maker=maker,
    )


def _check_maker(maker_id: UUID, wanted: Access) -> None:
    # Locked, as by who takes the right away: he either waits, and revokes this key too, or was
    # first.
    maker = User.objects.select_for_update().filter(id=maker_id).first()
    if maker is None or not maker.may(Right.MANAGE_PEOPLE):
        raise NotAllowed("Only who manages people makes keys.")
    if wanted.exceeds(maker.access):
        raise NotAllowed("A key can't do more than the person who makes it.", field="role")


def revoke_key(*, key_id: UUID, because: str = "", now: datetime) -> ApiKey:
    """Revoke a key for good; a second time changes nothing. Raises NotFound."""
    open_key = ApiKey.objects.filter(id=key_id, revoked_at=None)
    open_key.update(revoked_at=now, revoked_because=because[:200])
    key = ApiKey.objects.filter(id=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def keys_made_by(person: User, *, now: datetime) -> list[ApiKey]:
    """Return the usable keys that a person made, by name: they end with the person."""
    keys = ApiKey.objects.filter(made_by_id=person.id, revoked_at=None)
    return [key for key in keys if key.is_usable(now=now)]


def revoke_keys_beyond(person: User, *, now: datetime) -> list[ApiKey]:
    """Revoke the keys that a person made and that exceed what the person may do now.

    Of somebody who may not log in, all. The caller holds the person's lock.
    """
    because = (
        f"{person}, who made it, has another role now."
        if person.is_active
        else f"{person}, who made it, was let go."
    )
    gone = [
        key
        for key in keys_made_by(person, now=now)
        if not person.is_active or key.access.exceeds(person.access)
    ]
    ids = [key.id for key in gone]
    if ids:
        ApiKey.objects.filter(id__in=ids).update(revoked_at=now, revoked_because=because[:200])
    return gone


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that a key was used at about `now`; at most once a minute, and waiting for nobody.

    What can't be noted stops nothing: the key is good.
    """
    stale = now - timedelta(seconds=NOTED_SECONDS)
    if key.last_used_at is not None and key.last_used_at > stale:
        return
    sql = """
        UPDATE accounts_apikey SET last_used_at = %(now)s WHERE id = (
            SELECT id FROM accounts_apikey
            WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(stale)s)
            FOR UPDATE SKIP LOCKED
        )
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"now": now, "id": key.id, "stale": stale})
    except DatabaseError:
        logger.warning("use of a key not noted key=%s", key.id, exc_info=True)
