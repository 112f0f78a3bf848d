"""The folder of one installation: what its servers, logs and mails are kept in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from embedded.account import Account, anyone_can_reach
from embedded.errors import StartError

LOG_BYTES_MAX = 10 * 1024 * 1024
SHELTER = Path("/var/lib")


class Home:
    """PACELINE_HOME, made private; only the database's account may pass through it."""

    def __init__(self, path: Path) -> None:
        """Make the folder if it is missing. Raises StartError when that can't be done."""
        self.path = path
        self.logs = path / "logs"
        self.mails = path / "mails"
        self.valkey = path / "valkey"
        try:
            if not path.exists():
                path.mkdir(parents=True)
                path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.logs, self.mails, self.valkey):
                folder.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise StartError(
                f"PACELINE_HOME: {path} can't be used as a folder ({error.strerror})."
            ) from None

    def log(self, name: str) -> Path:
        """Return the log of the program called `name`."""
        return self.logs / f"{name}.log"

    def rotate_logs(self) -> None:
        """Put logs that have grown large aside, over the ones put aside before."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES_MAX:
                log.replace(log.with_suffix(".log.1"))

    def kept_secret(self, name: str, *, byte_count: int = 32) -> str:
        """Return the random secret kept in the file `name`, made at the first call."""
        return kept_secret(self.path / name, byte_count=byte_count)

    def database_folder(self, account: Account | None) -> Path:
        """Return the folder for PostgreSQL, made to be reachable for its account.

        Where root's checkout can't be entered by that account, it is a folder of this home alone
        under /var/lib, and `pg` here is a link to it. The name comes from this home's path and
        its random `id`, so that neither a second clone, nor a copy, nor a new clone in the
        place of a deleted one ever shares it.
        """
        folder = self.path / "pg"
        # A link is checked even where it is not needed any more: it may have come with a copy.
        if account and (folder.is_symlink() or not anyone_can_reach(self.path)):
            shelter = self._shelter()
            _link(folder, shelter / "pg")
            folder = shelter / "pg"
        folder.mkdir(mode=0o700, exist_ok=True)
        if account:
            account.own(folder)
        return folder

    def _shelter(self) -> Path:
        identity = f"{self.path}\n{self.kept_secret('id')}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        shelter = SHELTER / f"paceline-{digest}"
        shelter.mkdir(exist_ok=True)
        shelter.chmod(0o711)
        return shelter

    def write_run_env(self, values: Mapping[str, str]) -> None:
        """Write `run.env`, from which `manage.py` in a second terminal takes its settings."""
        for name, value in values.items():
            if "\n" in value or "\r" in value:
                raise StartError(f"{name} must be one line.")
        lines = [f"{name}={value}\n" for name, value in values.items()]
        write_private(self.path / "run.env", "".join(lines))


def kept_secret(path: Path, *, byte_count: int = 32) -> str:
    """Return the secret kept in the file at `path`: at the first call, so many random bytes."""
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
    secret = secrets.token_urlsafe(byte_count)
    write_private(path, secret + "\n")
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        # From a time when the account could still reach it.
        link.rename(link.with_name("pg.unreachable"))
    link.symlink_to(target)
