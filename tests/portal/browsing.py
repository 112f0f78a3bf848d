"""A real Chromium against the real site: committed rows, a threaded server, the host's own name."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tenants.services import create_agency, remove_agency
from tests.conftest import PASSWORD
from tests.waiting import PATIENCE_SECONDS

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# Playwright's own patience is shorter than what a page may take on a busy machine.
PATIENCE_MS = PATIENCE_SECONDS * 1000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]


def need_chromium() -> None:
    """Skip without a Chromium; fail where continuous integration must have one."""
    if os.path.exists(CHROMIUM):
        return
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail("No Chromium for the browser tests: .ci/run installs it.")
    pytest.skip("No Chromium: the browser tests need Debian's package chromium.")


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def running_server() -> Iterator[int]:
    """Serve the whole application on a free port of 127.0.0.1; yield the port."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    # Closing waits for the threads, so that none holds a connection to the database any longer.
    server.daemon_threads = False
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def committed_agency(slug: str) -> Iterator[Agency]:
    """Make an agency whose rows are really committed, enter it, and take it away afterwards."""
    with platform_context():
        agency = create_agency(name="Own Media", slug=slug)
    try:
        with tenant_context(agency):
            yield agency
    finally:
        remove_agency(agency)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a Chromium; to Django its driver's event loop looks like an async context."""
    need_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
        # In that context Django keeps connections of its own, which nobody else would close.
        connections.close_all()


@dataclass
class Visit:
    """A person's tab. Whatever the browser complains about is kept in `complaints`."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        # Refusals by the Content-Security-Policy are errors of the console.
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complain(str(error)))

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complain(message.text)

    def complain(self, text: str) -> None:
        self.complaints.append(f"{self.page.url}: {text}")

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def log_in(self, email: str) -> None:
        self.go("/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Dashboard").wait_for()
        self.page.wait_for_load_state()
