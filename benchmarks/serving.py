"""The platform served as `./run` serves it, with the baselines' views, and clients that post."""

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.environment import read_environment
from embedded.ports import free_port, http_status
from embedded.project import web_argv

PORT = free_port()
ROOT = Path(__file__).resolve().parent.parent
START_SECONDS_MAX = 60


def own_address() -> None:
    """Name our own port to the settings, before they are read."""
    os.environ |= {"PACELINE_URL": f"http://localhost:{PORT}", "PACELINE_PORT": str(PORT)}


@contextmanager
def gunicorn() -> Iterator[None]:
    """Serve with the workers and threads of `./run`."""
    process = subprocess.Popen(web_argv(read_environment(ROOT, os.environ)), cwd=ROOT)
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while http_status(bind="127.0.0.1", port=PORT, url=f"http://localhost:{PORT}") != 200:
            assert time.monotonic() < deadline, "gunicorn did not start"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


class Poster:
    """A client with one kept connection; it posts JSON with an API key."""

    def __init__(self, key: str) -> None:
        self.client = http.client.HTTPConnection("127.0.0.1", PORT)
        self.headers = {
            "Host": f"bench.localhost:{PORT}",
            "Authorization": f"Api-Key {key}",
            "Content-Type": "application/json",
        }

    def post(self, path: str, body: bytes) -> float:
        """Post once and return the seconds until the whole answer was here."""
        start = time.perf_counter()
        self.client.request("POST", path, body, self.headers)
        answer = self.client.getresponse()
        text = answer.read()
        took = time.perf_counter() - start
        assert answer.status == 201, (answer.status, text)
        return took


def encoded(body: Any) -> bytes:
    """Write a body as JSON, before the clock runs."""
    return json.dumps(body).encode()


def rate(posters: list[Poster], path: str, next_body: Callable[[], bytes], count: int) -> float:
    """Post `count` bodies, all posters at once, and return the posts per second."""
    bodies = [next_body() for _ in range(count)]
    failed: list[BaseException] = []

    def work(poster: Poster) -> None:
        # The server closes a connection on which nothing came for two seconds.
        poster.client.close()
        try:
            # list.pop is atomic: each body goes out once.
            while bodies and not failed:
                poster.post(path, bodies.pop())
        except IndexError:
            return
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=[poster]) for poster in posters]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    if failed:
        raise failed[0]
    return count / took
