"""Whatever an agency could leave behind when it is deleted; and how it is asked for."""

import redis
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection

from kernel import counters
from kernel.actor import Actor, ActorKind
from tenants.models import Removal
from tenants.removals import begin_removal
from tests.conftest import NOBODY, NOON

PAT = Actor(ActorKind.PERSON, NOBODY, "Pat")
# Roles are the whole cluster's, where another process of the tests makes agencies at this moment.
_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_OF_OTHERS = f"(SELECT refobjid FROM pg_shdepend WHERE dbid NOT IN (0, {_HERE}))"


def asked(agency, **options) -> Removal:
    return begin_removal(agency_id=agency.pk, typed_slug="gone", now=NOON, by=PAT, **options)


def everything() -> dict[str, object]:
    """Whatever there is in the database and in Redis that an agency could leave something in."""
    found: dict[str, object] = {}
    with connection.cursor() as cursor:
        for name, question in {
            "schemas": "SELECT nspname FROM pg_namespace",
            "roles": f"SELECT rolname FROM pg_roles WHERE oid NOT IN {_OF_OTHERS}",
            "tables": "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'S', 'i')",
            "dependencies": "SELECT classid, objid, refobjid, deptype FROM pg_shdepend"
            f" WHERE dbid = {_HERE}",
            "memberships": "SELECT roleid, member FROM pg_auth_members"
            f" WHERE roleid NOT IN {_OF_OTHERS}",
            "locks": "SELECT objid FROM pg_locks WHERE locktype = 'advisory'"
            f" AND database = {_HERE}",
        }.items():
            cursor.execute(question)
            found[name] = set(cursor.fetchall())
    for model in apps.get_app_config("tenants").get_models():
        found[model.__name__] = set(model._default_manager.values_list())
    found["journal"] = LogEntry.objects.count()
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        # The counters are the platform's, and appear when something is counted first.
        found["redis"] = set(server.scan_iter()) - {counters.KEY.encode()}
    return found


def nothing_but(before: dict[str, object]) -> bool:
    """Tell whether there is what there was before, and nothing else."""
    now = everything()
    differing = [name for name in now if now[name] != before[name]]
    assert differing == []
    return True
