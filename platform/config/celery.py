"""PostgreSQL is the truth, Redis the doorbell: any message may be lost, repeated or late."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import (
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
)

from kernel.request import bind_request_id, current_request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("paceline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

REQUEST_HEADER = "paceline_request_id"


@setup_logging.connect
def keep_the_settings_logging(**_: Any) -> None:
    """Log as LOGGING says: with a receiver here, Celery leaves the root logger alone."""


@before_task_publish.connect
def send_the_request_along(headers: dict[str, Any], **_: Any) -> None:
    """Let a task's lines be found by the request that asked for it."""
    headers[REQUEST_HEADER] = current_request_id()


@task_prerun.connect
def begin_with_an_id(task: Any, task_id: str, **_: Any) -> None:
    """Take the id of the request that asked for the task; else the task's own."""
    bind_request_id(task.request.get(REQUEST_HEADER) or task_id)


@task_postrun.connect
def end_with_none(**_: Any) -> None:
    bind_request_id("")


@worker_init.connect
def spare_what_never_changes(**_: Any) -> None:
    """Take what the start-up made out of the collector's sight, before the workers are forked.

    A sweep makes many short-lived values; scanning Django's modules again and again among them took
    a quarter of its time, and would copy the pages that the forked workers share.
    """
    gc.freeze()


@worker_ready.connect
def warn_of_a_database_that_forgets(**_: Any) -> None:
    """Tell the operator in the log. (Its processes are forked by now: no connection is shared.)"""
    from config import database

    database.warn_in_background()
