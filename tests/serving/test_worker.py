"""gunicorn and its processes by `gunicorn.conf.py`: they start, stop in order, are replaced."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.ports import free_port
from tests.config.container_files import ROOT

WAIT_SECONDS_MAX = 60
Serve = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "gunicorn", "tests.serving.small:application", *options]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
        running.append(subprocess.Popen(argv, cwd=ROOT, env=environment))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def ask(port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS_MAX)
    connection.request("GET", path)
    return connection.getresponse().read()


def until_it_answers(port: int) -> bytes:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            return ask(port)
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_a_request_under_way_is_answered_when_the_server_stops(serve, tmp_path):
    port, file, answers = free_port(), tmp_path / "go", list[bytes]()
    process = serve(f"--bind=127.0.0.1:{port}", f"--graceful-timeout={WAIT_SECONDS_MAX}")
    until_it_answers(port)
    client = threading.Thread(target=lambda: answers.append(ask(port, f"/?{file}")))
    client.start()
    wait_for(Path(f"{file}.begun"))
    process.send_signal(signal.SIGTERM)
    file.touch()
    client.join()
    assert answers[0].isdigit()
    assert process.wait(WAIT_SECONDS_MAX) == 0


def test_who_is_not_answered_in_time_does_not_keep_the_server_up(serve, tmp_path):
    port, file = free_port(), tmp_path / "never"
    process = serve(f"--bind=127.0.0.1:{port}", "--graceful-timeout=1")
    until_it_answers(port)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET /?{file} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(Path(f"{file}.begun"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS_MAX) == 0


def test_a_process_that_is_killed_is_replaced(serve):
    port = free_port()
    serve(f"--bind=127.0.0.1:{port}", "--workers=1")
    first = until_it_answers(port)
    os.kill(int(first), signal.SIGKILL)
    assert until_it_answers(port) != first


def test_a_process_is_replaced_after_so_many_requests(serve):
    port = free_port()
    serve(f"--bind=127.0.0.1:{port}", "--workers=1", "--max-requests=3")
    seen = {until_it_answers(port) for _ in range(12)}
    assert len(seen) > 1


def test_a_unix_socket_is_served(serve, tmp_path):
    path = tmp_path / "web"
    serve(f"--bind=unix:{path}")
    wait_for(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(WAIT_SECONDS_MAX)
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_it_serves_with_our_worker(tmp_path):
    """What `gunicorn config.wsgi` takes from the file, unless the command line says otherwise."""
    argv = [sys.executable, "-m", "gunicorn", "--print-config", "tests.serving.small:application"]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = dict(line.split("=", 1) for line in told.replace(" ", "").splitlines() if "=" in line)
    assert found["worker_class"] == "serving.worker.Worker"
    assert (found["workers"], found["threads"]) == ("2", "8")
