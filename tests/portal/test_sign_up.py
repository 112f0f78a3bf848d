"""Somebody opens an agency of his own: off unless switched on, and nothing before his mail is
proved.
"""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import Client
from redis import ConnectionError as RedisAway

from accounts import sign_ups, tasks
from accounts.models import User
from accounts.services import open_agency
from kernel import clock
from portal.views import sign_up as views
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency, Opening
from tests.conftest import NOBODY, NOON

pytestmark = pytest.mark.usefixtures("clean_cache")
NEW = {"name": "Nova Media", "slug": "nova", "email": "Nina@Nova.example"}


@pytest.fixture(autouse=True)
def switched_on(settings, monkeypatch):
    settings.SIGN_UP = True
    monkeypatch.setattr(clock, "read", lambda: NOON)


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The agencies of which a worker was told."""
    told: list[int] = []
    monkeypatch.setattr(tasks.open_agency, "delay", told.append)
    return told


@pytest.fixture
def nina(world, rung) -> Client:
    return Client(HTTP_HOST="localhost:8000")


def text(response) -> str:
    return response.content.decode()


def link_in(mail) -> str:
    [path] = re.findall(r"http://localhost:8000(/sign-up/\S+)", mail.body)
    return str(path)


def agencies() -> int:
    with platform_context():
        return Agency.objects.count()


def test_switched_off_there_is_no_such_page(nina, settings, mailoutbox):
    token = sign_ups._token(sign_ups.SignUp(UUID(NOBODY), "A", "a", "a@a.example"), now=NOON)
    settings.SIGN_UP = False
    for path in ("/sign-up/", "/sign-up/sent/", f"/sign-up/{token}/"):
        assert nina.get(path).status_code == 404
        assert nina.post(path, NEW).status_code in (404, 405)
    assert "sign-up" not in text(nina.get("/"))
    assert (mailoutbox, agencies()) == ([], 2)


def test_switched_on_the_start_page_leads_to_it(nina):
    assert 'href="/sign-up/"' in text(nina.get("/"))
    assert "Open an agency" in text(nina.get("/sign-up/"))


def test_on_an_agencys_host_there_is_none(world):
    assert Client(HTTP_HOST="acme.localhost:8000").get("/sign-up/").status_code == 404


def test_whoever_proves_his_mail_gets_an_agency(nina, mailoutbox, rung):
    sent = nina.post("/sign-up/", NEW)
    assert sent["Location"] == "/sign-up/sent/"
    assert "Look into your mail" in text(nina.get("/sign-up/sent/"))
    [mail] = mailoutbox
    assert mail.to == ["nina@nova.example"]
    assert agencies() == 2

    link = link_in(mail)
    asked = nina.get(link)
    assert "nova.localhost:8000" in text(asked)
    assert agencies() == 2, "programs that look into mails follow links"

    assert nina.post(link)["Location"] == link
    with platform_context():
        agency = Agency.objects.get(slug="nova")
        assert (agency.name, agency.is_ready) == ("Nova Media", False)
    told = nina.get(link)
    assert "is being made" in text(told)
    assert told["Refresh"] == "2"
    assert "no-store" in told["Cache-Control"]

    assert open_agency(agency_id=agency.pk, now=NOON)
    told = nina.get(link)
    assert 'href="http://nova.localhost:8000/"' in text(told)
    assert "Refresh" not in told
    assert "/accounts/password/reset/key/" in mailoutbox[1].body
    with tenant_context(agency):
        assert User.objects.get().email == "nina@nova.example"


def test_a_worker_is_told_after_the_commit(
    nina, mailoutbox, rung, django_capture_on_commit_callbacks
):
    nina.post("/sign-up/", NEW)
    with django_capture_on_commit_callbacks(execute=True):
        nina.post(link_in(mailoutbox[0]))
    with platform_context():
        assert rung == [Agency.objects.get(slug="nova").pk]


def test_a_link_that_is_used_twice_opens_one_agency(nina, mailoutbox):
    nina.post("/sign-up/", NEW)
    link = link_in(mailoutbox[0])
    for _ in range(2):
        nina.post(link)
    assert agencies() == 3


def test_two_who_press_the_button_at_once_open_one_agency(nina, mailoutbox, monkeypatch):
    nina.post("/sign-up/", NEW)
    link = link_in(mailoutbox[0])
    nina.post(link)
    # The second has looked before the first had ordered.
    monkeypatch.setattr(sign_ups, "opened_by", lambda sign_up: None)
    assert nina.post(link)["Location"] == link
    assert agencies() == 3


def test_two_links_for_one_address_are_the_first_ones(nina, mailoutbox):
    nina.post("/sign-up/", NEW)
    nina.post("/sign-up/", {**NEW, "name": "Other", "email": "olaf@other.example"})
    nina.post(link_in(mailoutbox[0]))
    told = text(nina.post(link_in(mailoutbox[1])))
    assert "is in use" in told
    assert "Choose another address" in told
    with platform_context():
        assert Agency.objects.get(slug="nova").name == "Nova Media"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("slug", "acme", "is in use"),
        ("slug", "admin", "is reserved"),
        ("slug", "no slug", "lower-case letters"),
        ("slug", "xn--nova", "third and fourth"),
        ("slug", "", "required"),
        ("name", " ", "required"),
        ("name", "No\nva", "on one line"),
        ("name", "x" * 101, "at most 100"),
        ("email", "nobody", "valid email"),
        ("email", "nina@nova.example\nBcc: all@acme.example", "valid email"),
    ],
)
def test_what_can_not_be_is_told_beside_its_field(nina, mailoutbox, field, value, sentence):
    response = nina.post("/sign-up/", {**NEW, field: value})
    assert any(sentence in error for error in response.context["form"].errors[field])
    assert mailoutbox == []


def test_whether_a_mail_is_known_makes_no_difference(nina, mailoutbox):
    known = nina.post("/sign-up/", {**NEW, "email": "ann@acme.example"})
    other = nina.post("/sign-up/", NEW)
    assert (known.status_code, known["Location"]) == (other.status_code, other["Location"])


def test_the_mail_quotes_nothing_that_a_stranger_wrote(nina, mailoutbox):
    nina.post("/sign-up/", {**NEW, "name": "Win http://evil.example now"})
    assert not mailoutbox
    nina.post("/sign-up/", {**NEW, "name": "Win at evil.example now"})
    [mail] = mailoutbox
    assert "evil" not in mail.subject + mail.body


def test_the_links_host_is_the_stored_one(nina, mailoutbox, settings):
    settings.PACELINE_URL = "https://ads.example.com"
    nina.post("/sign-up/", NEW, headers={"x-forwarded-host": "evil.example"})
    assert "https://ads.example.com/sign-up/" in mailoutbox[0].body


@pytest.mark.parametrize("change", [lambda link: link[:-3] + "x/", lambda link: "/sign-up/sent2/"])
def test_a_link_that_is_not_ours_opens_nothing(nina, mailoutbox, change):
    nina.post("/sign-up/", NEW)
    bad = change(link_in(mailoutbox[0]))
    for response in (nina.get(bad), nina.post(bad)):
        assert response.status_code == 404
        assert "no longer works" in text(response)
    assert agencies() == 2


@pytest.mark.parametrize(("hours", "status"), [(23.9, 200), (24, 404)])
def test_a_link_works_for_a_day(nina, mailoutbox, monkeypatch, hours, status):
    nina.post("/sign-up/", NEW)
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(hours=hours))
    assert nina.get(link_in(mailoutbox[0])).status_code == status


def test_one_that_could_not_be_made_says_so_without_a_trace(nina, mailoutbox):
    nina.post("/sign-up/", NEW)
    nina.post(link_in(mailoutbox[0]))
    with platform_context():
        Opening.objects.update(error="OperationalError: no space")
    told = text(nina.get(link_in(mailoutbox[0])))
    assert "is not ready yet" in told
    assert "no space" not in told


def test_a_link_tells_nothing_of_an_agency_that_was_suspended(nina, mailoutbox):
    nina.post("/sign-up/", NEW)
    nina.post(link_in(mailoutbox[0]))
    with platform_context():
        Agency.objects.filter(slug="nova").update(is_ready=True, is_active=False)
    assert nina.get(link_in(mailoutbox[0])).status_code == 404


def test_an_address_gets_a_few_mails_and_nobody_learns_how_many(nina, mailoutbox):
    answers = {nina.post("/sign-up/", NEW)["Location"] for _ in range(5)}
    assert answers == {"/sign-up/sent/"}
    assert len(mailoutbox) == views.MAILS_TO_ONE_ADDRESS_MAX


def test_from_one_place_not_too_many_ask(nina, mailoutbox, monkeypatch):
    monkeypatch.setattr(views, "ASKED_FROM_ONE_PLACE_MAX", 2)
    for n in range(2):
        nina.post("/sign-up/", {**NEW, "email": f"n{n}@nova.example"})
    refused = nina.post("/sign-up/", {**NEW, "email": "n3@nova.example"})
    assert refused.status_code == 429
    assert len(mailoutbox) == 2
    assert nina.post("/sign-up/", NEW, REMOTE_ADDR="2001:db8::1").status_code == 302
    # One customer has a whole network of these.
    assert nina.post("/sign-up/", NEW, REMOTE_ADDR="2001:db8::2").status_code == 302
    assert nina.post("/sign-up/", NEW, REMOTE_ADDR="2001:db8::3").status_code == 429


def test_without_redis_it_works_all_the_same(nina, mailoutbox, monkeypatch):
    def away(*args, **options):
        raise RedisAway("away")

    monkeypatch.setattr(cache, "add", away, raising=False)
    assert nina.post("/sign-up/", NEW).status_code == 302
    assert len(mailoutbox) == 1
