"""What is written about the API is true: its OpenAPI description, and the examples of its page."""

import io
import json
import re
import shlex
import urllib.request
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

from api.resources.resource import ApiView
from api.urls import router
from tests.conftest import make_brand, make_campaign

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
HOST = "http://acme.localhost:8000"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands():
    """The curl commands of the page in order, each with the variable that keeps the answer's id."""
    for block in blocks("bash"):
        for line in block.replace("\\\n", " ").replace("\n       ", " ").splitlines():
            kept = re.fullmatch(
                r"(\w+)=\$\((curl .*) \| jq -r \.id\)", re.sub(r"\s+\|", " |", line)
            )
            name, command = kept.groups() if kept else ("", line)
            if command.startswith("curl "):
                yield name, command


def run(client, command, variables):
    for name, value in variables.items():
        command = re.sub(rf"(?:'\${name}')|(?:\${name}\b)", value, command)
    words = shlex.split(command)[1:]
    method, body, headers, url = "GET", "", {}, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = words.pop(0)
        elif word == "--data-binary":
            assert words.pop(0) == "@report.csv"
            (file,) = blocks("csv")
            body = re.sub(r"[0-9a-f-]{36}", variables["CAMPAIGN"], file)
        else:
            url = word
    assert url.startswith(f"{HOST}/api/"), command
    assert headers.pop("Authorization") == "Api-Key KEY"
    kind = headers.pop("Content-Type", "application/octet-stream")
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}"
    return client.generic(method, path, body.encode(), kind, headers=headers)


def test_every_example_works_in_its_order(manager):
    variables, count, replayed = {"KEY": "KEY"}, 0, 0
    for name, command in commands():
        answer = run(manager.client, command, variables)
        assert answer.status_code < 300 or "health" in command, (command, answer.content)
        if name:
            variables[name] = answer.json()["id"]
        count += 1
        replayed += "Idempotent-Replayed" in answer
    assert count > 30
    assert replayed == 1
    assert {"BRAND", "GROUP", "CAMPAIGN", "SPEND", "WINDOW"} < variables.keys()


@pytest.mark.parametrize(
    "resource", ["brands", "budgets", "campaigns", "spends", "status-changes", "trail"]
)
def test_the_answers_shown_have_the_fields_of_the_real_ones(manager, resource):
    campaign = make_campaign(make_brand("Northwind Docs"), "Spring")
    spend = {"campaign": str(campaign.id), "amount": "1", "spend_date": "2026-03-02"}
    recorded = manager.post("spends/", **spend).json()
    real = recorded if resource == "spends" else manager.get(f"{resource}/").json()["results"][0]
    shown = [json.loads(block) for block in blocks("json")]
    shown = [answer.get("results", [answer])[0] for answer in shown]
    assert [name for answer in shown if (name := answer.keys()) == real.keys()]


def test_the_polling_script_tells_each_change_once(manager, monkeypatch, tmp_path, capsys):
    campaign = make_campaign(make_brand(), "Spring", platform="google", external_id="g-1")
    monkeypatch.setenv("KEY", "from the environment")
    monkeypatch.setenv("CURSOR", str(tmp_path / "cursor"))

    def urlopen(request, timeout):
        assert request.get_header("Authorization") == "Api-Key from the environment"
        return io.BytesIO(manager.client.get(request.full_url.removeprefix(HOST)).content)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    (script,) = blocks("python")
    program: dict[str, Any] = {"__name__": "poll"}
    exec(compile(script, "poll.py", "exec"), program)
    told = []
    for status in ("PAUSED", "ACTIVE"):
        manager.patch(f"campaigns/{campaign.id}/", status=status)
        assert program["read_on"]() is False
        told.append([line.split()[2:] for line in capsys.readouterr().out.splitlines()])
    assert told == [[["g-1", "run"], ["g-1", "stop", "manual"]], [["g-1", "run"]]]


def test_the_description_is_valid_and_without_a_warning(acme):
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/campaigns/{campaign_id}/holds/:" in out.getvalue()


def description():
    client = Client(HTTP_HOST="acme.localhost:8000")
    return json.loads(client.get("/api/schema/?format=json").content)


def test_the_description_names_both_ways_to_log_in(acme):
    schema = description()
    assert schema["components"]["securitySchemes"].keys() == {"ApiKey", "Session"}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert operation["security"] == [{"ApiKey": []}, {"Session": []}], path
            assert "401" in operation["responses"], path


def test_the_description_names_every_filter(acme):
    get = description()["paths"]["/api/spends/"]["get"]
    names = {parameter["name"] for parameter in get["parameters"]}
    assert {"start_date", "end_date", "campaign", "brand", "page", "page_size", "format"} <= names


def test_the_description_offers_a_key_for_every_post_and_for_nothing_else(acme):
    refusing = {"409", "422"}
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert ("Idempotency-Key" in names) == (method == "post"), path
            if method == "post":
                assert refusing < operation["responses"].keys(), path
                answers = [a for status, a in operation["responses"].items() if status < "300"]
                assert all("Idempotent-Replayed" in answer["headers"] for answer in answers), path


def test_the_description_of_a_batch_tells_its_own_answer(acme):
    batch = description()["paths"]["/api/spends/batch/"]["post"]
    shape = batch["responses"]["201"]["content"]["application/json"]["schema"]
    assert shape == {"$ref": "#/components/schemas/BatchAnswer"}
    assert "source" in {parameter["name"] for parameter in batch["parameters"]}


def test_an_answer_has_the_fields_that_its_description_requires(manager):
    schema = description()["components"]["schemas"]
    brand = manager.post("brands/", name="N").json()
    campaign = manager.post("campaigns/", brand=brand["id"], name="N").json()
    for name, shown in (("Brand", brand), ("Campaign", campaign)):
        properties = schema[name]["properties"].items()
        assert {key for key, kind in properties if not kind.get("writeOnly")} == shown.keys()


def test_every_view_that_writes_names_its_right():
    for _, view, _ in router.registry:
        assert issubclass(view, ApiView)
        if hasattr(view, "create"):
            assert view.right_to_write is not None, view


def test_the_page_of_swagger_has_nothing_inline(acme):
    answer = Client(HTTP_HOST="acme.localhost:8000").get("/api/docs/")
    page = answer.content.decode()
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
