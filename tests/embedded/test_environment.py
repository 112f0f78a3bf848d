from __future__ import annotations

from pathlib import Path

import pytest

from embedded.environment import Environment, read_environment
from embedded.errors import StartError


def read(root: Path, **variables: str) -> Environment:
    return read_environment(root, variables)


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    environment = read(tmp_path)
    assert environment.url == "http://localhost:8000"
    assert (environment.bind, environment.port) == ("127.0.0.1", 8000)
    assert environment.home == tmp_path / ".paceline"
    assert environment.has_demo
    assert environment.database_url is None


def test_the_process_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# Ours\nPACELINE_PORT=8001\nLOG_LEVEL='debug'\nOTHER=1\n")
    environment = read(tmp_path, PACELINE_PORT="8002")
    assert environment.port == 8002
    assert environment.log_level == "DEBUG"
    assert environment.everything["OTHER"] == "1"


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    assert read(tmp_path, PACELINE_PORT="", REDIS_URL=" ").redis_url is None


@pytest.mark.parametrize(
    ("variables", "url", "port"),
    [
        ({"PACELINE_PORT": "9000"}, "http://localhost:9000", 9000),
        ({"PACELINE_URL": "http://localhost:9000/"}, "http://localhost:9000", 9000),
        ({"PACELINE_URL": "https://Example.com"}, "https://example.com", 8000),
        (
            {"PACELINE_URL": "http://ads.localhost:80", "PACELINE_PORT": "9000"},
            "http://ads.localhost:80",
            9000,
        ),
    ],
)
def test_url_and_port_follow_each_other(
    tmp_path: Path, variables: dict[str, str], url: str, port: int
) -> None:
    environment = read(tmp_path, **variables)
    assert (environment.url, environment.port) == (url, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACELINE_PORT", "abc"),
        ("PACELINE_PORT", "0"),
        ("PACELINE_PORT", "65536"),
        ("PACELINE_URL", "localhost:8000"),
        ("PACELINE_URL", "ftp://localhost"),
        ("PACELINE_URL", "http://localhost:8000/app"),
        ("PACELINE_URL", "http://localhost:99999"),
        ("PACELINE_URL", "http://user@localhost"),
        ("PACELINE_URL", "https://exa mple.com"),
        ("PACELINE_URL", "http://example.com"),
        ("PACELINE_URL", "http://127.0.0.1:8000"),
        ("PACELINE_BIND", "nonsense"),
        ("PACELINE_BIND", "0.0.0.0"),
        ("PACELINE_BIND", "::"),
        ("PACELINE_DEMO", "maybe"),
        ("DEBUG", "2"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("REDIS_URL", "localhost:6379"),
    ],
)
def test_a_bad_value_is_refused_in_one_line_that_names_it(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(StartError, match=rf"\A{name}\b.*\Z"):
        read(tmp_path, **{name: value})


@pytest.mark.parametrize("bind", ["0.0.0.0", "10.0.0.1", "::"])
def test_https_may_be_open_to_the_network(tmp_path: Path, bind: str) -> None:
    environment = read(tmp_path, PACELINE_URL="https://example.com", PACELINE_BIND=bind)
    assert environment.bind == bind
