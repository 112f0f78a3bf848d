from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from embedded import home as home_module
from embedded.account import unprivileged_account
from embedded.errors import StartError
from embedded.home import LOG_BYTES_MAX, Home

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root has another account to serve.")


@pytest.fixture
def shelters(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /var/lib."""
    monkeypatch.setattr(home_module, "SHELTER", checkout)
    return checkout


def hidden_home(checkout: Path, name: str) -> Home:
    """Return a home that only root can reach."""
    (checkout / name).mkdir(mode=0o700)
    return Home(checkout / name / "home")


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    secret = Home(tmp_path / "home").kept_secret("secret_key")
    assert len(secret) >= 32
    assert Home(tmp_path / "home").kept_secret("secret_key") == secret
    assert (tmp_path / "home/secret_key").stat().st_mode & 0o777 == 0o600


def test_settings_are_written_one_a_line(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.write_run_env({"A": "1", "B": "x=y #z"})
    assert (home.path / "run.env").read_text() == "A=1\nB=x=y #z\n"
    with pytest.raises(StartError, match=r"^B "):
        home.write_run_env({"A": "1", "B": "2\nC=3"})


@pytest.mark.parametrize(("size", "is_moved"), [(LOG_BYTES_MAX, False), (LOG_BYTES_MAX + 1, True)])
def test_a_log_is_put_aside_when_it_is_too_large(tmp_path: Path, size: int, is_moved: bool) -> None:
    home = Home(tmp_path / "home")
    with home.log("web").open("wb") as log:
        log.truncate(size)
    home.rotate_logs()
    assert home.log("web").exists() is not is_moved
    assert (home.logs / "web.log.1").exists() is is_moved


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StartError, match=r"^PACELINE_HOME: "):
        Home(tmp_path / "home")


@as_root
def test_where_the_account_can_come_the_database_is_in_the_home(checkout: Path) -> None:
    account = unprivileged_account()
    assert account
    folder = Home(checkout / "home").database_folder(account)
    assert folder == checkout / "home/pg"
    assert folder.stat().st_uid == account.uid


@as_root
def test_where_it_can_not_each_home_has_a_shelter_of_its_own(shelters: Path) -> None:
    account = unprivileged_account()
    home = hidden_home(shelters, "one")
    folder = home.database_folder(account)
    assert folder.parent.parent == shelters
    assert (home.path / "pg").resolve() == folder
    assert home.database_folder(account) == folder
    assert hidden_home(shelters, "two").database_folder(account) != folder


@as_root
def test_neither_a_copy_nor_a_successor_shares_a_shelter(shelters: Path) -> None:
    account = unprivileged_account()
    home = hidden_home(shelters, "one")
    folder = home.database_folder(account)
    copy = shelters / "copy"
    shutil.copytree(home.path, copy, symlinks=True)
    assert Home(copy).database_folder(account) != folder
    shutil.rmtree(home.path)
    assert Home(home.path).database_folder(account) != folder
