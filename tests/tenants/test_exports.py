"""What an agency has, in one file, exactly; and nothing that lets anybody in."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from threading import Event, Thread
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Role
from budgets.models import Brand, SpendEntry
from campaigns.services.spend import NewSpend, record_spend
from tenants import exports
from tenants.contexts import platform_context, tenant_context
from tenants.exports import SECRET_COLUMNS, SECRET_TABLES, UnableToExport, export_agency, tables_of
from tests.conftest import ANN, NOON, make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS

# Columns that sound like secrets, and are none: keys and hashes of what somebody sent or did.
HARMLESS = {
    ("api_rememberedanswer", "key"),
    ("api_rememberedanswer", "request_hash"),
    ("budgets_spendentry", "key"),
    ("django_session", "session_key"),
}


@pytest.fixture
def rich(own_agency):
    """An agency with a person, a key, a brand and an amount that no float holds."""
    User.objects.create_user("olga@own.example", "correct horse battery", role=Role.OWNER)
    create_api_key(name="Script", role=Role.MANAGER)
    campaign = make_campaign(make_brand("Ünïcode\n“brand”"))
    spend = NewSpend(campaign.id, Decimal("1234567890.000001"), spend_date=NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    return own_agency


def exported(agency, path):
    with platform_context():
        return export_agency(agency, path, now=NOON)


def rows(path, table):
    with ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read(f"tables/{table}.jsonl").splitlines()]


def manifest(path):
    with ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def test_every_table_is_in_it_with_every_row(rich, tmp_path):
    export = exported(rich, tmp_path / "own.zip")
    told = {table["name"]: table for table in manifest(export.path)["tables"]}
    with connection.cursor() as cursor:
        for name in tables_of(rich.schema_name).keys() - SECRET_TABLES:
            cursor.execute(f"SELECT count(*) FROM {name}")
            assert told.pop(name)["rows"] == cursor.fetchone()[0] == len(rows(export.path, name))
    assert not told
    assert export.rows == sum(table["rows"] for table in manifest(export.path)["tables"])


def test_the_manifest_tells_what_each_file_is(rich, tmp_path):
    export = exported(rich, tmp_path / "own.zip")
    said = manifest(export.path)
    assert (said["agency"]["slug"], said["taken_at"]) == (rich.slug, NOON.isoformat())
    assert said["agency"]["hosts"] == [rich.host]
    assert export.sha256 == sha256(export.path.read_bytes()).hexdigest()
    with ZipFile(export.path) as archive:
        files = set(archive.namelist()) - {"manifest.json"}
        for table in said["tables"]:
            files.remove(table["file"])
            assert sha256(archive.read(table["file"])).hexdigest() == table["sha256"]
    assert not files


def test_values_are_exact(rich, tmp_path):
    export = exported(rich, tmp_path / "own.zip")
    [entry] = rows(export.path, "budgets_spendentry")
    stored = SpendEntry.objects.get()
    assert entry["amount"] == "1234567890.000001"
    assert datetime.fromisoformat(entry["recorded_at"]) == stored.recorded_at.astimezone(UTC)
    assert date.fromisoformat(entry["day"]) == NOON.date()
    [brand] = rows(export.path, "budgets_brand")
    assert (brand["id"], brand["name"]) == (str(Brand.objects.get().id), "Ünïcode\n“brand”")


def test_what_lets_somebody_in_is_left_out(rich, tmp_path):
    export = exported(rich, tmp_path / "own.zip")
    with ZipFile(export.path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (User.objects.get().password, ApiKey.objects.get().secret_hash):
        assert secret.encode() not in everything
    [person] = rows(export.path, "accounts_user")
    assert person["email"] == "olga@own.example"
    assert manifest(export.path)["left_out"] == ["django_session"]
    told = {t["name"]: t["left_out"] for t in manifest(export.path)["tables"] if t["left_out"]}
    assert told["accounts_user"] == ["password"]


def test_a_column_that_sounds_like_a_secret_is_told_to_be_one_or_not(acme):
    sounding = {
        (table, column.name)
        for table, columns in tables_of(acme.schema_name).items()
        for column in columns
        if re.search("password|secret|token|hash|key|code|seed|otp", column.name)
        and not re.search("^recovery_|_key_id$", column.name)
    }
    told = {(table, name) for table, names in SECRET_COLUMNS.items() for name in names}
    assert sounding - told - HARMLESS == set()


def test_only_its_owner_can_read_the_file(rich, tmp_path):
    assert exported(rich, tmp_path / "own.zip").path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["own.zip"]


def test_what_is_written_meanwhile_is_not_in_it(rich, tmp_path, monkeypatch):
    """Between two tables another connection adds a brand with its budget: neither is seen."""
    begun, counted = Event(), exports._counted
    brand_made = Event()

    def add():
        assert begun.wait(PATIENCE_SECONDS)
        with tenant_context(rich):
            make_brand("Late", daily="10", now=NOON)
        connection.close()
        brand_made.set()

    def late(schema_name, tables):
        begun.set()
        assert brand_made.wait(PATIENCE_SECONDS)
        return counted(schema_name, tables)

    monkeypatch.setattr(exports, "_counted", late)
    thread = Thread(target=add)
    thread.start()
    export = exported(rich, tmp_path / "own.zip")
    thread.join()
    assert len(rows(export.path, "budgets_brand")) == 1
    assert Brand.objects.count() == 2


def test_a_file_that_lost_a_row_is_refused_and_goes(rich, tmp_path, monkeypatch):
    counted = exports._counted
    monkeypatch.setattr(exports, "_counted", lambda *a: {**counted(*a), "budgets_brand": 2})
    with pytest.raises(UnableToExport, match="1 rows of budgets_brand, the database has 2"):
        exported(rich, tmp_path / "own.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_refused(rich, tmp_path):
    export = exported(rich, tmp_path / "own.zip")
    with ZipFile(export.path) as archive:
        entry = archive.getinfo("tables/django_migrations.jsonl")
    data = bytearray(export.path.read_bytes())
    data[entry.header_offset + 200] ^= 255
    export.path.write_bytes(data)
    with pytest.raises(UnableToExport, match="can't be read again"):
        exports.check_export(export.path, {})


def test_another_file_is_not_overwritten_and_an_older_export_is(rich, tmp_path):
    mine = tmp_path / "own.zip"
    mine.write_text("thesis")
    with pytest.raises(UnableToExport, match="no export of Own"):
        exported(rich, mine)
    assert mine.read_text() == "thesis"
    mine.unlink()
    exported(rich, mine)
    exported(rich, mine)


def test_the_command_tells_where_it_is(rich, tmp_path, capsys, monkeypatch):
    with platform_context():
        call_command("export_agency", rich.slug, str(tmp_path))
    [file] = tmp_path.iterdir()
    assert re.fullmatch(rf"{rich.slug}-\d{{8}}T\d{{6}}Z\.zip", file.name)
    assert str(file) in capsys.readouterr().out


def test_the_command_says_why_it_cannot(rich, tmp_path):
    with platform_context():
        with pytest.raises(CommandError, match="No agency has the slug"):
            call_command("export_agency", "nobody", str(tmp_path))
        with pytest.raises(CommandError, match="can't be written"):
            call_command("export_agency", rich.slug, str(tmp_path / "none" / "own.zip"))
