"""The simulator's API keys: hashed in the database as every key is, in clear in a private file."""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.models import ApiKey, create_api_key, find_api_key
from accounts.roles import Role
from embedded.home import write_private
from tenants.models import Agency

KEY_NAME = "Demo simulator"
_SUFFIX = ".key"


def keep_key(agency: Agency, *, now: datetime) -> None:
    """Make sure that the simulator has a key of the agency, whose context this is.

    Where the file is lost, or what it holds is worth nothing, the former keys are revoked and a new
    one is made. Raises OSError when the file can't be written.
    """
    secret = read_key(agency.slug)
    if secret and find_api_key(secret, now=now) is not None:
        return
    ApiKey.objects.filter(name=KEY_NAME, revoked_at=None).update(revoked_at=now)
    _, secret = create_api_key(name=KEY_NAME, role=Role.MANAGER)
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(_file(agency.slug), secret + "\n")


def read_key(slug: str) -> str | None:
    """Return the simulator's key of an agency, None where there is none."""
    try:
        return _file(slug).read_text().strip() or None
    except FileNotFoundError:
        return None


def agencies_with_keys() -> list[str]:
    """Return the slugs of the agencies that the simulator has a key of."""
    return sorted(file.stem for file in _folder().glob(f"*{_SUFFIX}"))


def _folder() -> Path:
    return Path(settings.PACELINE_HOME) / "demo"


def _file(slug: str) -> Path:
    return _folder() / f"{slug}{_SUFFIX}"
