"""No export of any route has a cell that a spreadsheet would run; numbers stay numbers."""

import csv
import io
import re
from decimal import Decimal

from django.conf import settings

from campaigns.services import budgets
from campaigns.services.spend import NewSpend, record_spend
from kernel import clock
from kernel.actor import Actor, ActorKind
from tests.config.routes import addresses
from tests.config.test_policy import value_of
from tests.conftest import make_brand, make_campaign

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
CORPUS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "＝1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
]
# Each with how often, at the least, it shows a text of the corpus.
EXPORTS = {"api/spends/": 3, "api/reports/monthly/": 2, "reports/monthly/": 2}


def exports(client, ids):
    """Yield the route and the rows of every page that can be had as CSV."""
    for route, path in addresses(settings.ROOT_URLCONF, value_of(ids)).items():
        answer = client.get(path, {"format": "csv"})
        if answer.headers.get("Content-Type", "").startswith("text/csv"):
            body = b"".join(answer) if answer.streaming else answer.content
            yield route, list(csv.reader(io.StringIO(body.decode())))


def fill(text, now):
    """Make a brand with one of everything, called as it must not be read; return a campaign."""
    by = Actor(ActorKind.PERSON, "ann", text)
    brand = make_brand(text, daily="100.50", now=now)
    group = budgets.create_group(brand_id=brand.id, name=text, now=now, by=by)
    campaign = make_campaign(
        brand, text, platform=text[:20], external_id=text, group=group.id, now=now
    )
    spend = NewSpend(
        campaign.id,
        Decimal("-12.50"),
        now.date(),
        description=text,
        external_id=text,
        is_correction=True,
    )
    record_spend(spend=spend, now=now, by=by)
    return campaign


def test_what_people_typed_is_never_a_formula(acme, log_in):
    now = clock.read()
    campaigns = [fill(text, now) for text in CORPUS]
    found = dict(exports(log_in("ann@acme.example"), {"campaign_id": str(campaigns[0].id)}))
    assert set(EXPORTS) <= set(found)
    for route, (header, *rows) in found.items():
        cells = [cell for row in rows for cell in row]
        assert all(re.fullmatch(r"[a-z_]+", name) for name in header), route
        assert [c for c in cells if c[:1] in tuple("=+-@＝\t\r") and not NUMBER.fullmatch(c)] == []
        for text in CORPUS:
            assert cells.count(f"'{text}") >= EXPORTS.get(route, 0), (route, text)
    numbers = [cell for row in found["api/spends/"] for cell in row if NUMBER.fullmatch(cell)]
    assert sum(Decimal(number) == Decimal("-12.5") for number in numbers) == len(CORPUS)
