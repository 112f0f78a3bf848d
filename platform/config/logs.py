"""How lines of the log look: one event a line, with its agency, its request and who did it.

No line holds a secret or a person: of people and keys the id, of an address the pattern of its
route, of an error its kind and the lines of code that it passed. What an error says about itself is
left out, since that quotes what people have typed ("Key (email)=(…) already exists").
"""

import json
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import redis
import structlog
from django.apps import apps
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.utils.functional import LazyObject, empty
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from kernel.request import current_request_id

FORMATS = ("json", "line")
# The request that is served here, for its actor; None in tasks and commands.
serving: ContextVar[HttpRequest | None] = ContextVar("serving", default=None)

# What these say is about servers and files, and an operator needs it.
_TELLING = (OperationalError, redis.RedisError, OSError)
_FRAMES_MAX = 40
# Should a person or a secret get into a line in spite of all, it does not get out.
_SCRUBBED = (
    (re.compile(r"[^\s@<>()\[\]{}\"'=:,;/\\]+@[^\s@<>()\[\]{}\"'=:,;/\\]+\.\w+"), "[e-mail]"),
    (re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"), "[credentials]"),
    (re.compile(r"\b\w{8}\.\w{32}\b"), "[key]"),
)


def default_format() -> str:
    """Return `line` where a person watches, `json` where a file or a collector does."""
    return "line" if sys.stderr.isatty() else "json"


def logging_settings(*, log_format: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything goes to standard error, one line an event."""
    configure()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": make_formatter, "log_format": log_format}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # A line for each message says nothing that our own line for each sweep does not.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
            # A refusal is an answer; only our own failures are worth a traceback.
            "django.request": {"level": "ERROR"},
            # Its warnings are the addresses of clients that send nonsense.
            "gunicorn.error": {"handlers": ["console"], "level": "ERROR", "propagate": False},
            "waitress": {"level": "ERROR"},
            # The whole address of each request, with its query: our own line tells the route.
            "django.server": {"level": "CRITICAL"},
        },
    }


def configure() -> None:
    """Let structlog's loggers write through the standard library's."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def make_formatter(log_format: str) -> ProcessorFormatter:
    """Return the formatter of a handler, for our own lines and for those of every library."""
    return ProcessorFormatter(
        processors=[
            about,
            reworded,
            with_error,
            ProcessorFormatter.remove_processors_meta,
            scrubbed,
            as_json if log_format == "json" else as_line,
        ]
    )


def about(_: Any, __: str, event: EventDict) -> EventDict:
    """Add when, how bad, who says so, and for whom it was done."""
    record = event["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {
        "at": at.replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "event": event.pop("event"),
        "agency": event.pop("agency", None) or _agency(),
        "request_id": current_request_id() or None,
        "actor": _actor(),
        **event,
    }


def _agency() -> str | None:
    """Return the slug of the agency whose context this is; None on the platform's site."""
    # Before the applications are there, a connection can't be described.
    tenant = connection.tenant if apps.ready else None  # type: ignore[attr-defined]
    return getattr(tenant, "slug", None)


def _actor() -> str | None:
    """Return the kind and the id of who acts; None while nobody has been asked who it is."""
    request = serving.get()
    if request is None:
        return "system"
    user = vars(request).get("user")
    # A line of the log must not be what looks a session up.
    if user is None or (isinstance(user, LazyObject) and vars(user)["_wrapped"] is empty):
        return None
    actor = getattr(user, "actor", None)
    return f"{actor.kind}:{actor.id}" if actor else "anonymous"


def reworded(_: Any, __: str, event: EventDict) -> EventDict:
    """Take addresses and arguments out of what the libraries say."""
    record = event["_record"]
    if record.name.startswith("django.security"):
        # "Forbidden (the reason): the address"; "Invalid HTTP_HOST header: what was sent".
        event["event"] = "request refused"
    elif record.name == "waitress" and "exc_info" in event:
        # "Exception while serving", and its address: a streamed answer failed on its way.
        event["event"] = "answer broken off"
    elif hasattr(record, "status_code") and hasattr(record, "request"):
        event["event"] = "request failed"
        event["status"] = record.status_code
    elif record.name == "celery.app.trace" and isinstance(data := getattr(record, "data", 0), dict):
        event["event"] = "task failed" if "exc_info" in event else "task ended"
        event["task"] = data.get("name")
    return event


def with_error(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace an error by its kind and the lines of code that it passed, its causes included."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["traceback"] = "".join(_told(error))
    return event


def _told(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _told(cause)
        yield "Then:\n"
    yield from traceback.format_tb(error.__traceback__, limit=-_FRAMES_MAX)
    said = f": {error}" if isinstance(error, _TELLING) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{said}\n"


def scrubbed(_: Any, __: str, event: EventDict) -> EventDict:
    """Take out what looks like an e-mail address, a password in a URL or an API key."""
    return {name: _scrub(value) for name, value in event.items()}


def _scrub(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for pattern, word in _SCRUBBED:
        text = pattern.sub(word, text)
    return text


def as_json(_: Any, __: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False)


def as_line(_: Any, __: str, event: EventDict) -> str:
    """Write the event for a person: the usual words first, then the others by name."""
    event = dict(event)
    first = " ".join(str(event.pop(name)) for name in ("at", "level", "logger", "event"))
    trace = event.pop("traceback", "")
    rest = " ".join(_pairs(event))
    return "\n".join(
        filter(None, [f"{first} {rest}".replace("\n", "\\n").rstrip(), trace.rstrip()])
    )


def _pairs(event: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name}={value}" for name, value in event.items() if value is not None)
