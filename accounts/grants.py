"""What a person has granted to others: it ends when the person may no longer grant it."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from kernel.actor import ActorKind

from .access import Access
from .keys import revoke_keys_beyond
from .models import ApiKey, Invitation, User
from .roles import Right


def open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that nobody accepted or withdrew, expired ones too."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None)


def end_grants_beyond(person: User, *, now: datetime) -> None:
    """Revoke the keys and withdraw the invitations that exceed what their maker may do now.

    They stay ended when the person gets the rights back. The caller holds the person's lock.
    """
    revoke_keys_beyond(person, now=now)
    sent = open_invitations().filter(invited_by_kind=ActorKind.PERSON, invited_by_id=person.id)
    beyond = [invitation.id for invitation in sent if not _may_invite(person, invitation)]
    open_invitations().filter(id__in=beyond).update(withdrawn_at=now)


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
