"""A migration that the code does not have: added for the length of a test."""

import shutil
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import campaigns.migrations
from tenants import services
from tenants.contexts import platform_context
from tenants.models import Agency

_MIGRATION = """
from django.db import migrations, models


def fill(apps, schema_editor):
    {code}


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("campaigns", "{last}")]
    operations = [
        migrations.AddIndex("campaign", models.Index(fields=["name"], name="later_by_name")),
        migrations.RunPython(fill),
        migrations.CreateModel("Later", [("name", models.CharField(max_length=9))]),
    ]
"""
Later = Callable[..., Path]


def add_migration(folder: Path, *, code: str = "pass", atomic: bool = True) -> tuple[str, Path]:
    """Write the campaigns app's migrations and one more; return the package's name and the file.

    The migration runs `code` in between, on models as they are then (`apps`).
    """
    # Python keeps what it imported under a name: each test has its own.
    package = folder / f"later_migrations_{folder.name}"
    known = Path(campaigns.migrations.__file__).parent
    shutil.copytree(known, package, ignore=shutil.ignore_patterns("__pycache__"))
    last = max(path.stem for path in package.glob("0*.py"))
    path = package / "9999_later.py"
    path.write_text(_MIGRATION.format(code=code, atomic=atomic, last=last))
    return package.name, path


@contextmanager
def made(slug: str):
    """An agency that is really there, and its removal; the platform's schema is entered."""
    with platform_context():
        agency: Agency = services.create_agency(name=slug.title(), slug=slug)
        try:
            yield agency
        finally:
            services._remove(agency)
