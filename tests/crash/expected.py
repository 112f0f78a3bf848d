"""What must be there, worked out from the journals alone: a model of its own, slow and plain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tests.crash.journal import REFUSED_KINDS, Heard, Kind
from tests.crash.world import Limits, World

BROUGHT_BY_ROWS = (Kind.SINGLE, Kind.KEYED, Kind.CORRECTION, Kind.BATCH, *REFUSED_KINDS)


class Row(NamedTuple):
    """A spend as it was asked for."""

    campaign: str
    day: date
    amount: Decimal
    spend_type: str


class Place(NamedTuple):
    """What a restating source speaks of."""

    source: str
    campaign: str
    day: date


class Word(NamedTuple):
    """What a source said of a place as of an instant; what it listed comes before what it did not.

    (A complete statement says nothing of what it lists: of that its row speaks.)
    """

    as_of: datetime
    is_listed: bool
    amount: Decimal


@dataclass(slots=True)
class Expected:
    """What the journals promise."""

    world: World
    # By the token in their descriptions: what was accepted, and what was refused.
    rows: dict[str, Row] = field(default_factory=dict)
    refused: dict[str, Row] = field(default_factory=dict)
    # The ids of entries that were reversed, with the tokens of their rows.
    reversed: dict[str, str] = field(default_factory=dict)
    words: dict[Place, list[Word]] = field(default_factory=lambda: defaultdict(list))
    limits: dict[str, Limits] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    unanswered: list[str] = field(default_factory=list)
    # Answers that such a call must not have.
    surprises: list[str] = field(default_factory=list)

    def figure(self, place: Place) -> Decimal:
        """Return the last word on a place."""
        words = self.words.get(place)
        return max(words).amount if words else Decimal(0)

    def held(self) -> set[str]:
        """Return the campaigns that may not run."""
        spent_today: dict[str, Decimal] = defaultdict(Decimal)
        spent_month: dict[str, Decimal] = defaultdict(Decimal)
        campaigns = {campaign.id: campaign for campaign in self.world.campaigns}
        for row in self._spent():
            campaign = campaigns[row.campaign]
            for owner in campaign.limited_by:
                if row.day == campaign.today and row.spend_type == "DAILY":
                    spent_today[owner] += row.amount
                if (row.day.year, row.day.month) == (campaign.today.year, campaign.today.month):
                    spent_month[owner] += row.amount

        def is_spent(owner: str) -> bool:
            limits = self.limits[owner]
            return _reaches(spent_today[owner], limits.daily) or _reaches(
                spent_month[owner], limits.monthly
            )

        return self.paused | {
            campaign.id
            for campaign in self.world.campaigns
            if any(map(is_spent, campaign.limited_by))
        }

    def _spent(self) -> Iterator[Row]:
        back = set(self.reversed.values())
        yield from (row for token, row in self.rows.items() if token not in back)
        for place in self.words:
            yield Row(place.campaign, place.day, self.figure(place), "DAILY")


def _reaches(spent: Decimal, limit: Decimal | None) -> bool:
    return limit is not None and (limit == 0 or spent >= limit)


def expected(journal: Iterable[Heard], world: World) -> Expected:
    """Return what the journals promise; the calls of each client are in their order."""
    at_first = {key: owner.limits for key, owner in world.owners.items()}
    found = Expected(world, limits=at_first)
    entries: dict[str, str] = {}
    completes: list[Heard] = []
    for heard in journal:
        call = heard.call
        if not heard.is_answered:
            found.unanswered.append(call.id)
            continue
        is_as_meant = heard.is_accepted != (call.kind in REFUSED_KINDS)
        if not is_as_meant or heard.is_contradictory:
            found.surprises.append(f"{call.kind} {call.id} was answered {heard.statuses}")
        if call.kind in BROUGHT_BY_ROWS:
            (found.rows if heard.is_accepted else found.refused).update(_rows(call.body))
        if not heard.is_accepted:
            continue
        if call.kind == Kind.SINGLE:
            entries[heard.entry_id] = call.body["description"]
        elif call.kind == Kind.REVERSAL:
            entry = call.path.strip("/").rpartition("/")[2]
            found.reversed[entry] = entries[entry]
        elif call.kind == Kind.RESTATEMENT:
            _say(found.words, call.body)
            if "complete" in call.body:
                completes.append(heard)
        elif call.kind == Kind.LIMIT:
            owner = call.path.strip("/").rpartition("/")[2]
            found.limits[owner] = _limits(call.body)
        elif call.kind == Kind.PAUSE:
            campaign = call.path.strip("/").rpartition("/")[2]
            change = found.paused.add if call.body["status"] == "PAUSED" else found.paused.discard
            change(campaign)
    for heard in completes:
        _say_the_rest(found.words, heard.call.body)
    return found


def _rows(body: Mapping[str, Any]) -> dict[str, Row]:
    return {
        row["description"]: Row(
            row["campaign"],
            date.fromisoformat(row["spend_date"]),
            Decimal(row["amount"]),
            row["spend_type"],
        )
        for row in body.get("rows", [body])
    }


def _say(words: dict[Place, list[Word]], body: Mapping[str, Any]) -> None:
    as_of = datetime.fromisoformat(body["as_of"])
    for row in body["rows"]:
        place = Place(body["source"], row["campaign"], date.fromisoformat(row["spend_date"]))
        words[place].append(Word(as_of, True, Decimal(row["amount"])))


def _say_the_rest(words: dict[Place, list[Word]], body: Mapping[str, Any]) -> None:
    """Whatever the source ever says of a complete range, it said then to be nothing."""
    said = body["complete"]
    as_of = datetime.fromisoformat(body["as_of"])
    for place, heard in words.items():
        is_covered = place.source == body["source"] and place.campaign in said["campaigns"]
        if is_covered and said["from"] <= str(place.day) <= said["to"]:
            heard.append(Word(as_of, False, Decimal(0)))


def _limits(body: Mapping[str, str | None]) -> Limits:
    daily, monthly = body["daily_budget"], body["monthly_budget"]
    return Limits(
        None if daily is None else Decimal(daily), None if monthly is None else Decimal(monthly)
    )
