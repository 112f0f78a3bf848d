"""Run what many agencies' schemas lack, and do once what does not depend on the schema.

django-tenants runs Django's whole `migrate` for each schema: it reads the migrations, renders every
model as it was, and renders those that an operation touched. All of that depends on nothing but
which migrations are applied. So the schemas that have the same ones share one `Pending`, and what
is left for each is what it is about: the statements.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from django.apps.registry import Apps
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState


def applied_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations that the current agency's schema has, by app and name."""
    return frozenset(MigrationRecorder(connection).migration_qs.values_list("app", "name"))


class _Step(NamedTuple):
    """An operation, and the models before and after it."""

    operation: Operation
    before: ProjectState
    after: ProjectState


class Pending:
    """The migrations that a schema lacks, ready to be run in every schema that lacks the same.

    Make it in the context of one of them. Raises CommandError, and InconsistentMigrationHistory
    where a migration is applied before one that it depends on.
    """

    def __init__(self) -> None:
        self._executor = MigrationExecutor(connection)
        loader = self._executor.loader
        loader.check_consistent_history(connection)
        if conflicts := loader.detect_conflicts():
            raise CommandError(
                f"There are several last migrations in {', '.join(sorted(conflicts))}: run"
                " makemigrations --merge."
            )
        targets = loader.graph.leaf_nodes()
        self._plan = self._executor.migration_plan(targets)
        self._steps: list[tuple[Migration, list[_Step]]] = []
        if self._plan:
            self._apps = self._prepare()

    @property
    def names(self) -> list[str]:
        """The migrations, such as `campaigns.0003_shared_schedules`."""
        return [str(migration) for migration, _ in self._plan]

    def _prepare(self) -> Apps:
        """Render the models as each operation meets them; return those after the last."""
        state = ProjectState(real_apps=self._executor.loader.unmigrated_apps)
        applied, lacking = self._in_order()
        for migration in applied:
            migration.mutate_state(state, preserve=False)
        # Sent once and not for each schema: who receives it adds operations to the plan.
        emit_pre_migrate_signal(0, False, connection.alias, apps=state.apps, plan=self._plan)
        for migration in lacking:
            steps = []
            for operation in migration.operations:
                before, state = state, state.clone()
                operation.state_forwards(migration.app_label, state)
                steps.append(_Step(operation, before, state))
            self._steps.append((migration, steps))
        state.clear_delayed_apps_cache()
        return state.apps

    def _in_order(self) -> tuple[list[Migration], list[Migration]]:
        """Return the applied migrations and the lacking ones, as they follow on an empty schema."""
        loader = self._executor.loader
        whole = self._executor.migration_plan(loader.graph.leaf_nodes(), clean_start=True)
        lacking = {migration for migration, _ in self._plan}
        applied = {(app, name) for app, name in loader.applied_migrations}
        return (
            [m for m, _ in whole if (m.app_label, m.name) in applied and m not in lacking],
            [m for m, _ in whole if m in lacking],
        )

    def run(self) -> None:
        """Run the migrations in the current context, each in a transaction if it allows one.

        The record of the last goes with what follows all of them (new content types): whoever was
        killed before it has something left to do, and does it when he is run again.
        """
        for number, (migration, steps) in enumerate(self._steps, 1):
            with _transaction(migration.atomic):
                self._apply(migration, steps)
                with transaction.atomic():
                    self._executor.record_migration(migration)  # type: ignore[call-arg, arg-type]
                    if number == len(self._steps):
                        emit_post_migrate_signal(
                            0, False, connection.alias, apps=self._apps, plan=self._plan
                        )
        if self._executor.loader.replacements:
            self._executor.check_replacements()

    @staticmethod
    def _apply(migration: Migration, steps: list[_Step]) -> None:
        """Do what `Migration.apply` does, on models that are rendered already."""
        with connection.schema_editor(atomic=migration.atomic) as editor:
            for operation, before, after in steps:
                # Operations may want a transaction of their own in a migration that has none.
                with _transaction(not migration.atomic and bool(operation.atomic)):
                    operation.database_forwards(migration.app_label, editor, before, after)


def _transaction(is_wanted: bool) -> AbstractContextManager[None]:
    return transaction.atomic() if is_wanted else nullcontext()
