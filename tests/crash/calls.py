"""What a client asks for, drawn by the seed: spends of every kind, limits, pauses."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.crash.journal import Call, Kind
from tests.crash.world import Campaign, Limits, World, limits_body

# How often each kind is drawn, against the others.
WEIGHTS = {
    Kind.SINGLE: 40,
    Kind.KEYED: 10,
    Kind.CORRECTION: 6,
    Kind.REVERSAL: 6,
    Kind.BATCH: 8,
    Kind.BAD_BATCH: 2,
    Kind.CONFLICT: 2,
    Kind.RESTATEMENT: 10,
    Kind.LIMIT: 12,
    Kind.PAUSE: 5,
}
ROWS_MAX = 20
REMEMBERED_MAX = 200
LIVE, FEED = "live", "feed"  # Sources that append.


class Script:
    """The calls of one client. It alone commands its share of campaigns and limits, and restates by
    a source of its own; what it spends is spread over everybody's campaigns.
    """

    def __init__(
        self, world: World, *, client: int, clients: int, seed: int, has_keys: bool
    ) -> None:
        """Prepare client number `client` of `clients`; `has_keys`: Idempotency-Key is known."""
        self._world = world
        self._client = client
        self._random = random.Random(f"client {client} {seed}")
        self._commanded = world.campaigns[client::clients]
        self._owners = sorted(world.owners)[client::clients]
        self._source = f"report-{client}"
        self._count = 0
        self._as_of = datetime.now(UTC)
        self._paused: Campaign | None = None
        # What the last answer on a limit said of what was spent below it: today, this month.
        self._spent: dict[str, tuple[Decimal, Decimal]] = {}
        # Singles that were accepted, and the ids of their entries.
        self._known: list[tuple[Call, str]] = []
        self._weights = WEIGHTS if has_keys else WEIGHTS | {Kind.KEYED: 0}

    def draw(self) -> Call:
        """Return the next call."""
        (kind,) = self._random.choices(list(self._weights), list(self._weights.values()))
        if not self._known and kind in (Kind.REVERSAL, Kind.CONFLICT):
            kind = Kind.SINGLE
        self._count += 1
        makers: dict[Kind, Callable[[Kind], Call]] = {
            Kind.BATCH: self._batch,
            Kind.BAD_BATCH: self._batch,
            Kind.CONFLICT: self._conflict,
            Kind.REVERSAL: self._reversal,
            Kind.RESTATEMENT: self._restatement,
            Kind.LIMIT: self._limit,
            Kind.PAUSE: self._pause,
        }
        return makers.get(kind, self._single)(kind)

    def hear(self, call: Call, body: Any) -> None:
        """Learn from the answer to a call that was accepted."""
        if call.kind == Kind.SINGLE:
            self._known = [*self._known[-REMEMBERED_MAX:], (call, body["id"])]
        if call.kind == Kind.LIMIT:
            figures = Decimal(body["daily_spend"]), Decimal(body["monthly_spend"])
            self._spent[body["id"]] = figures

    def known(self) -> Call | None:
        """Return a call that was accepted before, to be sent once more."""
        return self._random.choice(self._known)[0] if self._known else None

    @property
    def _id(self) -> str:
        return f"c{self._client}-{self._count}"

    def _call(self, kind: Kind, agency: str, method: str, path: str, body: Any = None) -> Call:
        key = self._id if kind == Kind.KEYED else ""
        return Call(self._id, kind, agency, method, path, body or {}, key)

    def _row(self, campaign: Campaign, token: str) -> dict[str, Any]:
        """A spend whose description tells, in the ledger, which call brought it."""
        return {
            "campaign": campaign.id,
            "amount": f"{self._random.randint(1, 900) / 100:.2f}",
            "spend_date": str(campaign.today - timedelta(days=self._random.random() < 0.1)),
            "spend_type": "MONTHLY" if self._random.random() < 0.1 else "DAILY",
            "description": token,
        }

    def _single(self, kind: Kind) -> Call:
        campaign = self._random.choice(self._world.campaigns)
        body = self._row(campaign, self._id) | {"source": LIVE}
        if kind != Kind.KEYED:
            body["external_id"] = self._id
        if kind == Kind.CORRECTION:
            body |= {"amount": f"-{body['amount']}", "correction": True}
        return self._call(kind, campaign.agency, "POST", "/api/spends/", body)

    def _batch(self, kind: Kind) -> Call:
        agency = self._random.choice(sorted(self._world.agencies))
        places = self._random.choices(self._world.of(agency), k=self._random.randint(2, ROWS_MAX))
        rows = []
        for number, campaign in enumerate(places):
            token = f"{self._id}/{number}"
            rows.append(self._row(campaign, token) | {"external_id": token})
        if kind == Kind.BAD_BATCH:
            self._random.choice(rows)["amount"] = "-1.00"
        body = {"mode": "append", "source": FEED, "rows": rows}
        return self._call(kind, agency, "POST", "/api/spends/batch/", body)

    def _conflict(self, kind: Kind) -> Call:
        known, _ = self._random.choice(self._known)
        amount = Decimal(known.body["amount"]) + 1
        body = known.body | {"amount": f"{amount:.2f}", "description": self._id}
        return self._call(kind, known.agency, known.method, known.path, body)

    def _reversal(self, kind: Kind) -> Call:
        known, entry_id = self._random.choice(self._known)
        return self._call(kind, known.agency, "DELETE", f"/api/spends/{entry_id}/")

    def _restatement(self, kind: Kind) -> Call:
        """What the client's source says of some campaigns; at times late, at times complete."""
        agency = self._random.choice(sorted(self._world.agencies))
        campaigns = self._world.of(agency)
        covered = self._random.sample(campaigns, k=self._random.randint(2, 6))
        day = covered[0].today - timedelta(days=self._random.random() < 0.2)
        # No two statements are of one instant: those would contradict each other.
        self._as_of = max(datetime.now(UTC), self._as_of + timedelta(milliseconds=2))
        is_late = self._random.random() < 0.2
        as_of = self._as_of - timedelta(seconds=5) if is_late else self._as_of
        as_of = as_of.replace(microsecond=as_of.microsecond // 1000 * 1000 + is_late)
        rows = [
            {
                "campaign": campaign.id,
                "amount": f"{self._random.randint(0, 6000) / 100:.2f}",
                "spend_date": str(min(day, campaign.today)),
            }
            for campaign in covered
        ]
        body = {
            "mode": "restate",
            "source": self._source,
            "as_of": as_of.isoformat(),
            # Each client's source restates the same campaigns beside the others.
            "additional": True,
            "rows": rows,
        }
        if self._random.random() < 0.3:
            body["rows"] = rows[: len(rows) // 2]
            everywhere = [campaign.id for campaign in covered]
            body["complete"] = {"from": str(day), "to": str(day), "campaigns": everywhere}
            body["confirm_decrease"] = True
        return self._call(kind, agency, "POST", "/api/spends/batch/", body)

    def _limit(self, kind: Kind) -> Call:
        key = self._random.choice(self._owners)
        owner = self._world.owners[key]
        # The first time nothing is changed, and the answer tells what was spent.
        limits = owner.limits
        if key in self._spent:
            limits = Limits(*map(self._near, self._spent[key]))
        return self._call(kind, owner.agency, "PATCH", owner.path, limits_body(limits))

    def _near(self, spent: Decimal) -> Decimal | None:
        """A limit that is crossed already, or will be soon."""
        draw = self._random.random()
        if draw < 0.2:
            return Decimal(0) if draw < 0.02 else None
        cents = int(max(spent, Decimal(0)) * self._random.randint(80, 300))
        return Decimal(cents + self._random.randint(100, 6000)) / 100

    def _pause(self, kind: Kind) -> Call:
        """Pause one campaign, or let it go on; most are to run where their limits let them."""
        campaign, status = self._paused, "ACTIVE"
        if campaign is None:
            campaign, status = self._random.choice(self._commanded), "PAUSED"
        self._paused = campaign if status == "PAUSED" else None
        path = self._world.owners[campaign.id].path
        return self._call(kind, campaign.agency, "PATCH", path, {"status": status})
