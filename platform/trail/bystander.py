"""Tell PostgreSQL who acts, where it is going to ask: with a statement that changes tracked rows.

What the triggers want to know travels in front of that statement, in the same message, as the
setting that pghistory keeps for it. (pghistory's own context does so with every write; the writes
that must be fast here, the ledger's, are not tracked.) Statements of tasks and commands, which act
for nobody, stay as they are: the trail calls that the system.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from psycopg.sql import Literal

from kernel.actor import acting_now
from kernel.request import current_request_id

from .tracking import TRACKED

SETTING = "pghistory.context_metadata"
_WRITE = re.compile(
    r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?"?(\w+)"?', re.IGNORECASE
)
Execute = Callable[..., Any]


def watch(*, connection: Any, **_: Any) -> None:
    """Stand by each statement of a new connection."""
    if tell_who not in connection.execute_wrappers:
        # First in line: Django takes its temporary wrappers away from the end of the list.
        connection.execute_wrappers.insert(0, tell_who)


def tell_who(execute: Execute, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Run a statement; say who acts in front of it if it may change what is tracked."""
    if not isinstance(sql, str) or not changes_tracked(sql):
        return execute(sql, params, many, context)
    actor = acting_now()
    if actor is None:
        return execute(sql, params, many, context)
    said = {
        "by_kind": actor.kind,
        "by_id": actor.id,
        "by_label": actor.label,
        "request_id": current_request_id(),
    }
    raw = context["connection"].connection
    text = Literal(json.dumps(said)).as_string(raw)
    # For the transaction only: the next one may be somebody else's.
    telling = f"SELECT set_config('{SETTING}', {text}, true)"
    if many:
        with raw.cursor() as cursor:
            cursor.execute(telling)
        return execute(sql, params, many, context)
    if params is not None:
        telling = telling.replace("%", "%%")
    result = execute(f"{telling}; {sql}", params, many, context)
    # What the caller asked for is in the last answer of the two.
    while result is not None and result.nextset():
        pass
    return result


def changes_tracked(sql: str) -> bool:
    """Return whether the statement writes to a tracked table; a few words too many do no harm."""
    head = sql[:20].lstrip()[:7].upper()
    if head.startswith("WITH"):
        return any(table in TRACKED for table in _WRITE.findall(sql))
    if not head.startswith(("INSERT", "UPDATE", "DELETE")):
        return False
    found = _WRITE.match(sql.lstrip())
    return found is not None and found[1] in TRACKED
