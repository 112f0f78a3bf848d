"""`manage.py migrate_schemas`, and `migrate`: the platform's schema, then every agency's."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.makemigrations import Command as MakeMigrations
from django.db import connection
from django_tenants.management.commands import SyncCommon
from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand
from django_tenants.migration_executors.base import run_migrations
from django_tenants.utils import get_public_schema_name

from tenants.contexts import owner_context, platform_context, tenant_context
from tenants.migrating import Pending, applied_migrations
from tenants.models import Agency
from tenants.rights import (
    UnableToCreate,
    grant_rights,
    schemas_without_rights,
    take_public_schema,
)

logger = logging.getLogger("tenants.migrating")

# A backend of PostgreSQL keeps what it learned of every table that it met, some megabytes for each
# agency, until its connection ends.
AGENCIES_PER_CONNECTION = 50
# With these, Django's own command is run for each agency.
_RARE = ("app_label", "migration_name", "fake", "fake_initial", "plan", "prune", "run_syncdb")


class Command(MigrateSchemasCommand):  # type: ignore[misc]
    # pgtrigger gives Django's own commands one that sees triggers, and both must have the same.
    autodetector = MakeMigrations.autodetector
    help = (
        "Bring the platform's schema and then every agency's up to date. An agency that fails is"
        " named and does not stop the others; run it again, and what is left is done."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        SyncCommon.handle(self, *args, **options)
        if self.executor not in (None, "standard"):
            raise CommandError("There is one executor here, and it shares its work: leave it out.")
        with owner_context():
            if self.sync_public:
                self._migrate_platform(args, options)
            if self.sync_tenant:
                with platform_context():
                    agencies = self._agencies()
                self._each(agencies, self._way(args, options))

    def _migrate_platform(self, args: Any, options: dict[str, Any]) -> None:
        public = get_public_schema_name()
        try:
            with platform_context():
                take_public_schema()
        except UnableToCreate as refusal:
            raise CommandError(str(refusal)) from None
        run_migrations(args, options, "standard", public)
        with platform_context():
            if schemas_without_rights([public]):
                grant_rights(public)

    def _agencies(self) -> list[Agency]:
        if self.schema_name:
            found = list(Agency.objects.filter(schema_name=self.schema_name))
            if not found:
                raise CommandError(f"No agency has the schema {self.schema_name!r}.")
            return found
        # The others are being made, by whoever makes them ready. No more columns than are needed:
        # with --tenant, the platform's own schema may be older than the code.
        return list(Agency.objects.filter(is_ready=True).only("schema_name", "slug"))

    def _way(self, args: Any, options: dict[str, Any]) -> Callable[[Agency], str]:
        """Return what is done with each agency: it tells what it did, or raises."""
        if any(options.get(name) for name in _RARE):

            def plain(agency: Agency) -> str:
                run_migrations(args, options, "standard", agency.schema_name)
                return ""

            return plain
        shared: dict[frozenset[tuple[str, str]], Pending] = {}

        def together(agency: Agency) -> str:
            with tenant_context(agency):
                applied = applied_migrations()
                if applied not in shared:
                    shared[applied] = Pending()
                pending = shared[applied]
                if pending.names and options["check_unapplied"]:
                    raise CommandError(f"lacks {', '.join(pending.names)}")
                pending.run()
            return ", ".join(pending.names)

        return together

    def _each(self, agencies: list[Agency], way: Callable[[Agency], str]) -> None:
        failed, changed = [], 0
        with platform_context():
            lacking = schemas_without_rights([agency.schema_name for agency in agencies])
        for number, agency in enumerate(agencies, 1):
            try:
                done = way(agency)
                if done or agency.schema_name in lacking:
                    with tenant_context(agency):
                        grant_rights(agency.schema_name)
            except Exception as failure:
                failed.append(agency.slug)
                self._tell_failure(agency, failure)
                connection.close_if_unusable_or_obsolete()
            else:
                changed += bool(done)
                if done:
                    self._tell(f"[{number}/{len(agencies)}] {agency.slug}: {done}")
            if number % AGENCIES_PER_CONNECTION == 0 and not connection.in_atomic_block:
                connection.close()
        self._tell(f"{len(agencies)} agencies: {changed} migrated, {len(failed)} failed.")
        if failed:
            raise CommandError(f"Not up to date: {', '.join(failed)}.", returncode=1)

    def _tell(self, line: str) -> None:
        if self.options["verbosity"] >= 1:
            self.stdout.write(line)

    def _tell_failure(self, agency: Agency, failure: Exception) -> None:
        self.stderr.write(f"{agency.slug}: {type(failure).__name__}: {failure}".strip())
        if not isinstance(failure, CommandError):
            logger.error("not migrated agency=%s", agency.slug, exc_info=failure)
