"""Real workers: the broker and the environment of their own."""

import os
from urllib.parse import urlsplit

import pytest
from django.db import connection


@pytest.fixture
def environment(worker_id_number) -> dict[str, str]:
    """This test's own database, and a part of the broker that is its own."""
    at = connection.settings_dict
    database = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    redis = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{8 + worker_id_number}").geturl()
    return {**os.environ, "DATABASE_URL": database, "REDIS_URL": redis, "LOG_LEVEL": "INFO"}


@pytest.fixture
def worker_id_number() -> int:
    return int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))) or 0) % 8
