"""Whatever an agency could leave behind when it is deleted; and how it is asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

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
_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
# Roles are the whole cluster's, where another process of the tests makes agencies at this moment:
# those that this process has made, by their names.
_ROLES_MADE: set[str] = set()
_CREATE_ROLE = re.compile(r'CREATE ROLE "?([^"\s]+)', re.IGNORECASE)


@contextmanager
def noting_roles() -> Iterator[None]:
    """Keep the name of every role that a statement of this process makes."""

    def note(execute, query, params, many, context):
        text = query if isinstance(query, str) else query.as_string()
        _ROLES_MADE.update(_CREATE_ROLE.findall(text))
        return execute(query, params, many, context)

    with connection.execute_wrapper(note):
        yield


def asked(agency, **options) -> Removal:
    return begin_removal(agency_id=agency.pk, typed_slug="gone", now=NOON, by=PAT, **options)


def everything() -> dict[str, object]:
    """Whatever there is in the database and in Redis that an agency could leave something in."""
    found: dict[str, object] = {}
    with connection.cursor() as cursor:
        for name, question in {
            "schemas": "SELECT nspname FROM pg_namespace",
            "roles": "SELECT rolname FROM pg_roles WHERE rolname = ANY(%(made)s)",
            "tables": "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'S', 'i')",
            "dependencies": "SELECT classid, objid, refobjid, deptype FROM pg_shdepend"
            f" WHERE dbid = {_HERE}",
            "memberships": "SELECT roleid, member FROM pg_auth_members m"
            " JOIN pg_roles r ON r.oid IN (m.roleid, m.member) WHERE rolname = ANY(%(made)s)",
            "locks": "SELECT objid FROM pg_locks WHERE locktype = 'advisory'"
            f" AND database = {_HERE}",
        }.items():
            cursor.execute(question, {"made": list(_ROLES_MADE)})
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
