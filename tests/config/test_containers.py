"""Dockerfile and docker-compose.yml name only what exists, and run what `./run` runs.

No engine builds them here: what they say is parsed, held against the supervisor and the settings,
and their scripts are run as the shell would run them.
"""

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from celery.app.utils import find_app
from celery.bin.beat import beat
from celery.bin.worker import worker
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import resolve
from gunicorn.config import Config  # type: ignore[import-untyped]

from embedded import ports
from embedded.environment import DEFAULT_PORT, read_environment
from embedded.project import beat_argv, paceline, web_argv, worker_argv
from embedded.wheels import valkey_program
from tests.config.container_files import (
    GIVEN,
    ROOT,
    compose,
    dockerfile,
    documented_names,
    is_in_context,
    service,
)
from tests.waiting import PATIENCE_SECONDS

OURS = ("migrate", "web", "worker", "beat")


def supervisor_environment(tmp_path: Path) -> Any:
    return read_environment(tmp_path, GIVEN)


def gunicorn_options(argv: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Parse gunicorn's arguments as it does itself; an unknown one ends in SystemExit."""
    return vars(Config(prog="gunicorn").parser().parse_args(list(argv)))


def option_names(argv: list[str] | tuple[str, ...]) -> set[str]:
    return {word.partition("=")[0] for word in argv if word.startswith("--")}


# What runs ----------------------------------------------------------------------------------------


def test_web_is_the_gunicorn_of_run(tmp_path):
    argv = service("web")["command"]
    ours, theirs = gunicorn_options(argv[1:]), web_argv(supervisor_environment(tmp_path))
    started = gunicorn_options(theirs[theirs.index("gunicorn") + 1 :])
    # By gunicorn's own manual a container's heartbeat is in memory, its log on standard output.
    for name in ours.keys() - {"bind", "worker_tmp_dir", "accesslog", "loglevel"}:
        assert ours[name] == started[name], name
    assert ours["args"] == ["config.wsgi"]
    assert callable(importlib.import_module("config.wsgi").application)


@pytest.mark.parametrize(
    ("name", "command", "supervised"), [("worker", worker, worker_argv), ("beat", beat, beat_argv)]
)
def test_worker_and_beat_are_the_celery_of_run(name, command, supervised, tmp_path):
    argv = service(name)["command"]
    assert argv[:4] == ["celery", "-A", "config", name]
    known = {option for parameter in command.params for option in parameter.opts}
    assert option_names(argv) <= known
    assert option_names(argv) <= option_names(supervised(supervisor_environment(tmp_path)))
    assert find_app("config").main == "paceline"


def test_beat_has_the_scheduler_of_run(tmp_path):
    named = [word for word in beat_argv(supervisor_environment(tmp_path)) if "scheduler=" in word]
    assert {word.partition("=")[2] for word in named} <= {settings.CELERY_BEAT_SCHEDULER}


def test_migrate_is_the_migrate_of_run(tmp_path):
    argv = service("migrate")["command"]
    started = paceline(ROOT, supervisor_environment(tmp_path)).migrate.argv
    assert argv[0] == "python"
    assert argv[1:] == [Path(started[1]).name, *started[2:]]


@pytest.mark.parametrize("words", [["migrate", "--noinput"], ["seed_data"]])
def test_a_command_of_manage_py_exists_and_takes_its_arguments(words):
    name, *rest = words
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(rest)


@pytest.mark.parametrize("name", ["gunicorn", "celery"])
def test_a_program_comes_with_the_locked_packages(name):
    scripts = importlib.metadata.entry_points(group="console_scripts", name=name)
    [package] = {script.dist.name for script in scripts if script.dist is not None}
    assert re.search(rf"^{package}==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_the_others_wait_for_the_migrations_and_those_for_the_database():
    services = compose()["services"]
    assert set(services) == {"postgres", "valkey", *OURS}
    for name in ("web", "worker", "beat"):
        needs = services[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["valkey"]["condition"] == "service_healthy"
        assert services[name]["restart"] == "unless-stopped"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"
    assert {services[name]["image"] for name in OURS} == {"paceline"}
    checked = {name for name, one in services.items() if "healthcheck" in one}
    assert checked == {"postgres", "valkey", "web", "worker"}


# Settings, ports, secrets -------------------------------------------------------------------------


def test_every_variable_is_one_of_env_example():
    text = (ROOT / "docker-compose.yml").read_text()
    interpolated_names = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    passed_on = {name for ours in OURS for name in service(ours)["environment"]}
    assert interpolated_names | passed_on <= documented_names()
    assert all(service(ours)["env_file"] == ".env" for ours in OURS)


def test_every_variable_is_one_that_the_settings_read():
    code = [ROOT / "platform/config/settings.py", ROOT / "platform/embedded/environment.py"]
    read = "".join(file.read_text() for file in code)
    for name in service("web")["environment"]:
        assert f'"{name}"' in read, name


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_without_a_secret_it_does_not_start(name):
    with pytest.raises(LookupError, match=f"{name}: set it in .env"):
        compose(**{name: ""})


def test_no_secret_is_in_the_files():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    given = {pair for one in services.values() for pair in one.get("environment", {}).items()}
    secret = [value for name, value in given if re.search("PASSWORD|SECRET|KEY|URL", name)]
    assert len(secret) >= len(GIVEN)
    assert all(re.fullmatch(r"\$\{[A-Z_]+:\?.*\}", value) for value in secret)
    assert not any("ENV" in line.name and "SECRET" in " ".join(line.words) for line in dockerfile())


@pytest.mark.parametrize(
    ("values", "published"),
    [
        ({}, f"127.0.0.1:{DEFAULT_PORT}:{DEFAULT_PORT}"),
        ({"PACELINE_PORT": "9000", "PACELINE_BIND": "10.0.0.5"}, "10.0.0.5:9000:9000"),
    ],
)
def test_the_published_port_is_the_one_that_web_listens_on(values, published):
    web = service("web", **values)
    assert web["ports"] == [published]
    port = published.rpartition(":")[2]
    assert gunicorn_options(web["command"][1:])["bind"] == [f"0.0.0.0:{port}"]
    assert web["environment"]["PACELINE_PORT"] == port
    assert not any("ports" in service(name) for name in ("postgres", "valkey", "worker"))
    [exposed] = [line.words for line in dockerfile() if line.name == "EXPOSE"]
    assert exposed == [str(DEFAULT_PORT)]


# Servers ------------------------------------------------------------------------------------------


@pytest.fixture
def stub_image(tmp_path):
    """Return a function that runs a service's command with an entrypoint of the test's own."""

    def run(name: str, entrypoint: str, **values: str) -> subprocess.Popen[str]:
        program = tmp_path / "docker-entrypoint.sh"
        program.write_text(f"#!/bin/sh\n{entrypoint}\n")
        program.chmod(0o755)
        found = service(name, **values)
        environment = found["environment"] | {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "INIT_SCRIPTS": str(tmp_path),
        }
        return subprocess.Popen(
            found["command"], env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )

    return run


@pytest.mark.parametrize("query", ["", "?sslmode=disable"])
def test_postgres_has_the_account_and_database_of_the_url(stub_image, query):
    url = f"postgresql://ann:secret123@postgres:5432/ads{query}"
    shown = 'echo "$*"; cat "$INIT_SCRIPTS/paceline.sql"'
    with stub_image("postgres", shown, DATABASE_URL=url) as process:
        assert process.communicate(timeout=PATIENCE_SECONDS)[0].splitlines() == [
            "postgres",
            "CREATE ROLE ann LOGIN CREATEROLE NOINHERIT PASSWORD 'secret123';",
            "CREATE DATABASE ads OWNER ann;",
        ]


def test_the_superuser_of_postgres_has_a_password_that_nobody_knows(stub_image):
    def password():
        with stub_image("postgres", 'echo "$POSTGRES_USER $POSTGRES_PASSWORD"') as process:
            return process.communicate(timeout=PATIENCE_SECONDS)[0].strip()

    assert len(password()) >= 40
    assert password() != password()


def test_postgres_is_one_that_we_support_with_its_locale_and_its_volume():
    found = service("postgres")
    assert found["image"] == "postgres:18"
    assert "--builtin-locale=C.UTF-8" in found["environment"]["POSTGRES_INITDB_ARGS"]
    assert found["volumes"] == ["postgres:/var/lib/postgresql"]
    assert found["healthcheck"]["test"][1] == 'pg_isready --quiet --dbname="$DATABASE_URL"'


def test_valkey_asks_for_the_password_of_the_url(stub_image):
    port = ports.free_port()
    program = valkey_program()
    entrypoint = f'shift; exec {program} "$@" --port {port} --bind 127.0.0.1'
    url = "redis://:secret123@valkey:6379/0"
    with stub_image("valkey", entrypoint, REDIS_URL=url) as process:
        try:
            assert answer(f"redis://:secret123@127.0.0.1:{port}/0") is True
            with pytest.raises(redis.AuthenticationError):
                answer(f"redis://127.0.0.1:{port}/0")
        finally:
            process.kill()


def answer(url: str) -> bool:
    """Ping a server that may be starting."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with closing(redis.Redis.from_url(url)) as client:
                return bool(client.ping())
        except redis.AuthenticationError:
            raise
        except redis.ConnectionError:
            assert time.monotonic() < deadline, url
            time.sleep(0.05)


# Health -------------------------------------------------------------------------------------------


@pytest.fixture
def web_server() -> Iterator[tuple[int, dict[str, int]]]:
    """A server that answers each host with the status that it is given; others with 404."""
    statuses: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"] if self.path == "/healthz" else ""
            self.send_response(statuses.get(host, 404))
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, statuses
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("url", "status", "is_healthy"),
    [
        ("", 200, True),
        ("https://ads.example.com", 301, True),
        ("", 404, False),
        ("", 500, False),
    ],
)
def test_web_is_healthy_when_the_platforms_own_host_answers(web_server, url, status, is_healthy):
    port, statuses = web_server
    statuses[url.partition("://")[2] or f"localhost:{port}"] = status
    [_, *argv] = service("web")["healthcheck"]["test"]
    environment = os.environ | {"PACELINE_PORT": str(port), "PACELINE_URL": url}
    done = subprocess.run([sys.executable, *argv[1:]], env=environment, check=False)
    assert (done.returncode == 0) is is_healthy


def test_the_health_check_asks_what_the_platforms_site_answers(client, world):
    assert resolve(ports.HEALTH_PATH, urlconf=settings.PUBLIC_SCHEMA_URLCONF).url_name == "healthz"
    assert client.get(ports.HEALTH_PATH, HTTP_HOST="localhost:8000").status_code == 200
    assert client.get(ports.HEALTH_PATH, HTTP_HOST="nobody.example").status_code == 404


def test_the_worker_is_asked_by_celerys_own_ping():
    kind, line = service("worker")["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert line.startswith("celery -A config inspect ping ")
    assert '--destination="celery@$HOSTNAME"' in line


# The image ----------------------------------------------------------------------------------------


def test_the_image_has_what_it_runs_and_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = [*packages, "platform/fence", project["project"]["readme"], "manage.py"]
    needed += ["pyproject.toml", "requirements.lock", "LICENSE", "gunicorn.conf.py"]
    for name in needed:
        assert (ROOT / name).exists(), name
        assert is_in_context(name), name
    for name in (".env", ".git", ".paceline", ".venv", "tests", "platform/api/__pycache__/x.pyc"):
        assert not is_in_context(name), name


def test_the_image_installs_the_locked_packages_and_the_checkout_as_run_does():
    lines = dockerfile()
    for line in lines:
        if line.name == "COPY" and not line.words[0].startswith("--from"):
            assert all((ROOT / source).exists() for source in line.words[:-1])
    installs = [line.words for line in lines if line.words[:2] == ["pip", "install"]]
    assert installs == [
        ["pip", "install", "--require-hashes", "-r", "requirements.lock"],
        ["pip", "install", "--no-deps", "--no-build-isolation", "-e", "."],
    ]
    assert "--hash=sha256:" in (ROOT / "requirements.lock").read_text()


def test_the_image_is_of_a_python_that_we_support_and_runs_as_nobody_special():
    lines = dockerfile()
    bases = {line.words[0] for line in lines if line.name == "FROM"}
    assert bases == {"python:3.12-slim"}
    names = [line.name for line in lines]
    last_stage = lines[len(names) - names[::-1].index("FROM") - 1 :]
    user = [line.name for line in last_stage].index("USER")
    assert last_stage[user].words not in (["root"], ["0"])
    assert not {line.name for line in last_stage[user:]} & {"RUN", "COPY", "ADD"}


def test_the_home_of_the_image_is_a_volume_that_its_user_may_write():
    home = service("web")["environment"]["PACELINE_HOME"]
    [environment] = [line.words for line in dockerfile() if line.words[0].startswith("PACELINE_")]
    assert environment == [f"PACELINE_HOME={home}"]
    made = [" ".join(line.words) for line in dockerfile() if line.name == "RUN"]
    assert any(f"--owner paceline --group paceline {home}" in line for line in made)
    assert all(service(name)["volumes"] == [f"home:{home}"] for name in OURS)
    assert set(compose()["volumes"]) == {"home", "postgres", "valkey"}
