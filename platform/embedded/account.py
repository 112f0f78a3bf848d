"""The account that PostgreSQL runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import StartError

# Accounts that exist already; we never add one to somebody's machine.
UNPRIVILEGED_NAMES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account to which root can drop."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` to this account."""
        os.chown(path, self.uid, self.gid)


def unprivileged_account() -> Account | None:
    """Return the account for PostgreSQL, or None where we are not root and run it ourselves.

    Raises StartError when root has no such account to drop to.
    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StartError(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody':"
        " start as a normal user, or set DATABASE_URL."
    )


def anyone_can_reach(path: Path) -> bool:
    """Return whether every account may pass through all of `path`'s existing folders."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    path = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))
