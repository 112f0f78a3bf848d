"""Enter what no trigger sees: what lies outside of the agency's own schema."""

from typing import Any

from kernel.actor import SYSTEM, acting_now
from kernel.request import current_request_id

from .models import Entry, Operation


def note_change(
    *, kind: str, object_id: str, name: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Enter a change into the trail of the agency whose context this is, in its transaction.

    Of `before` and `after` only what differs is entered; where nothing does, nothing is.
    """
    changed = [field for field in after if before.get(field) != after[field]]
    if not changed:
        return
    by = acting_now() or SYSTEM
    Entry.objects.create(
        pgh_label=Operation.UPDATE,
        kind=kind,
        object_id=object_id,
        name=name,
        before={field: before.get(field) for field in changed},
        after={field: after[field] for field in changed},
        by_kind=by.kind,
        by_id=by.id,
        by_label=by.label[:120],
        request_id=current_request_id()[:64],
    )
