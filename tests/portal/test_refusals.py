"""Whatever a service refuses, each face answers in words, with the API's status, and never 500."""

from decimal import Decimal

import pytest
from django.db import IntegrityError

from api.errors import STATUSES
from budgets import ledger
from budgets.models import SpendEntry
from campaigns.models import Campaign
from campaigns.services.spend import BadRows, NewSpend, record_spend, reverse_spend
from kernel.errors import DomainError, InvalidValue, NotFound
from tests.conftest import ANN, NOON

from .conftest import spend
from .test_dashboard import text


def kinds(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Return every refusal that there is."""
    return [kind, *(one for sub in kind.__subclasses__() for one in kinds(sub))]


def refusing(monkeypatch, where: str, error: Exception) -> None:
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(where, refuse)


def made(kind: type[DomainError]) -> DomainError:
    """Make a refusal without its own constructor, which wants what is refused."""
    error = kind.__new__(kind)
    DomainError.__init__(error, "The sentence of a probe.")
    if isinstance(error, BadRows):
        error.errors = {0: InvalidValue("x")}
    return error


@pytest.mark.parametrize("kind", kinds())
def test_a_page_answers_every_refusal(manager, campaign, monkeypatch, kind):
    spend(campaign, "10")
    entry = SpendEntry.objects.get()
    refusing(monkeypatch, "portal.views.spend.reverse_spend", made(kind))
    answer = manager.post(f"/spend/{entry.id}/reverse/")
    expected = next((STATUSES[one] for one in kind.__mro__ if one in STATUSES), 400)
    assert answer.status_code == expected
    # What is not there is the page for that, which says nothing more.
    assert ("The sentence of a probe." in text(answer)) == (expected != 404)
    assert expected == 404 or "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("kind", kinds())
def test_a_page_of_the_admin_answers_every_refusal(manager, campaign, monkeypatch, kind):
    refusing(monkeypatch, "django.contrib.admin.ModelAdmin.get_queryset", made(kind))
    expected = next((STATUSES[one] for one in kind.__mro__ if one in STATUSES), 400)
    assert manager.get("/admin/budgets/brand/").status_code == expected


@pytest.mark.parametrize(
    ("error", "status"), [(IntegrityError("x"), 409), (Campaign.DoesNotExist("x"), 404)]
)
def test_what_somebody_else_changed_meanwhile_is_no_failure(
    manager, campaign, monkeypatch, error, status
):
    spend(campaign, "10")
    refusing(monkeypatch, "portal.views.spend.reverse_spend", error)
    answer = manager.post(f"/spend/{SpendEntry.objects.get().id}/reverse/")
    assert answer.status_code == status
    assert "Nothing of yours was stored." in text(answer)


RESERVED = ["entry:1", "Reversal:1", "statement:1", "REVERSAL:", "x" * 256, "a\0"]


@pytest.mark.parametrize("key", RESERVED)
def test_no_face_records_a_key_like_the_ledgers_own(campaign, key):
    """The service refuses it, which all faces call."""
    new = NewSpend(campaign.id, Decimal(1), NOON.date(), external_id=key, source="s")
    with pytest.raises(InvalidValue) as refused:
        record_spend(spend=new, now=NOON, by=ANN)
    assert refused.value.field == "external_id"
    assert not SpendEntry.objects.exists()


def test_the_admin_says_so_beside_the_field(manager, campaign):
    said = {
        "campaign": str(campaign.id), "amount": "0.01", "spend_date": "2026-03-02",
        "spend_type": "DAILY", "external_id": f"reversal:{campaign.id}", "page_key": "",
    }  # fmt: skip
    answer = manager.post("/admin/budgets/spendentry/add/", said)
    assert answer.status_code == 200
    assert "begin with entry:, reversal: or statement:." in text(answer)
    said |= {"external_id": "", "page_key": "entry:1"}
    assert "begin with entry:" in text(manager.post("/admin/budgets/spendentry/add/", said))
    assert not SpendEntry.objects.exists()


def test_an_entry_is_reversed_though_somebody_took_its_key_before_it_was_reserved(
    manager, campaign, monkeypatch
):
    spend(campaign, "10")
    entry = SpendEntry.objects.get()
    monkeypatch.setattr(ledger, "OWN_KEYS", ("none:",))
    new = NewSpend(campaign.id, Decimal(1), NOON.date(), external_id=f"reversal:{entry.id}")
    record_spend(spend=new._replace(source=entry.source), now=NOON, by=ANN)
    monkeypatch.undo()
    answer = manager.post(f"/spend/{entry.id}/reverse/", follow=True)
    assert "is reversed." in text(answer)
    again, is_new = reverse_spend(entry_id=entry.id, now=NOON, by=ANN)
    assert (again.reverses_id, is_new) == (entry.id, False)
    with pytest.raises(NotFound):
        reverse_spend(entry_id=campaign.id, now=NOON, by=ANN)
