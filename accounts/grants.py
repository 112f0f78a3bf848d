"""What a person has granted to others: it ends when the person may no longer grant it."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import F, QuerySet

from kernel.actor import ActorKind
from trail.models import Entry, Operation

from .access import Access
from .keys import revoke_keys_beyond
from .models import ApiKey, Invitation, User
from .roles import Right


def open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that nobody accepted or withdrew, expired ones too."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None)


def end_grants_beyond(person: User, *, now: datetime) -> None:
    """Revoke the keys, and withdraw the invitations and the unused seats, that exceed what the
    person who gave them may do now.

    They stay ended when the person gets the rights back. The caller holds the person's lock.
    """
    revoke_keys_beyond(person, now=now)
    sent = open_invitations().filter(invited_by_kind=ActorKind.PERSON, invited_by_id=person.id)
    beyond = [invitation.id for invitation in sent if not _may_invite(person, invitation)]
    open_invitations().filter(id__in=beyond).update(withdrawn_at=now)
    if not person.may(Right.MANAGE_PEOPLE):
        seats = _unused_seats().filter(id__in=unused_seats_of(person))
        seats.update(is_active=False, sessions_ended=F("sessions_ended") + 1)


def unused_seats_of(person: User) -> set[UUID]:
    """Return the ids of the people whom a person let in and who have no password yet.

    Until they set one, such a seat is an invitation: whoever has the mail takes it.
    """
    ids = [str(seat_id) for seat_id in _unused_seats().values_list("id", flat=True)]
    given = Entry.objects.filter(
        kind="user",
        pgh_label=Operation.INSERT,
        object_id__in=ids,
        by_kind=ActorKind.PERSON,
        by_id=str(person.id),
    )
    return {UUID(seat_id) for seat_id in given.values_list("object_id", flat=True)}


def _unused_seats() -> QuerySet[User]:
    return User.objects.filter(
        is_active=True, last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX
    )


def is_still_granted(invitation: Invitation, *, now: datetime) -> bool:
    """Return whether whoever sent an invitation may send it now.

    The system and commands always may; a person or a key that is gone, inactive or has lost the
    right may not.
    """
    if invitation.invited_by_kind == ActorKind.SYSTEM:
        return True
    try:
        inviter_id = UUID(invitation.invited_by_id)
    except ValueError:
        return False
    if invitation.invited_by_kind == ActorKind.PERSON:
        person = User.objects.filter(id=inviter_id, is_active=True).first()
        return person is not None and _may_invite(person, invitation)
    if invitation.invited_by_kind == ActorKind.KEY:
        key = ApiKey.objects.filter(id=inviter_id).first()
        return key is not None and key.is_usable(now=now) and _may_invite(key, invitation)
    return False


def _may_invite(inviter: User | ApiKey, invitation: Invitation) -> bool:
    offered = Access.of(invitation.role, invitation.brand_ids)
    return inviter.may(Right.MANAGE_PEOPLE) and not offered.exceeds(inviter.access)
