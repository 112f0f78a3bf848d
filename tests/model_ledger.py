"""The ledger once more, from the words of the design: what was said, in the order of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Place(NamedTuple):
    """A campaign's day, and whether the spend counts in the day or in its month only."""

    brand: str
    campaign: str
    day: date
    is_daily: bool

    def counts(self, reason: str, today: date) -> bool:
        """Whether spend here counts in today's daily or monthly limit."""
        if reason == "daily_budget":
            return self.is_daily and self.day == today
        return (self.day.year, self.day.month) == (today.year, today.month)


@dataclass(frozen=True)
class ModelReport:
    """What a source says as of an instant; a complete one says all that there is of some days."""

    as_of: datetime
    rows: dict[Place, Decimal]
    # Both days inclusive, and the campaigns that it covers: None means all.
    days: tuple[date, date] | None = None
    campaigns: frozenset[tuple[str, str]] | None = None

    def covers(self, place: Place) -> bool:
        if self.days is None or not self.days[0] <= place.day <= self.days[1]:
            return False
        return self.campaigns is None or (place.brand, place.campaign) in self.campaigns

    def says(self, place: Place) -> Decimal | None:
        """What it says of a place: what a complete one does not list is nothing."""
        if place in self.rows:
            return self.rows[place]
        return Decimal(0) if self.covers(place) else None


class Figure(NamedTuple):
    """The last word on a place: as of when, how much, and what counts after corrections."""

    as_of: datetime | None
    said: Decimal
    amount: Decimal


@dataclass
class ModelSource:
    """A restating source: reports, and people's corrections of them, in the order of arrival."""

    heard: list[ModelReport | tuple[Place, Decimal]] = field(default_factory=list)

    def figure(self, place: Place) -> Figure:
        """The newest word replaces the older ones and what people corrected of them."""
        last = Figure(None, Decimal(0), Decimal(0))
        for event in self.heard:
            if isinstance(event, tuple):
                if event[0] == place:
                    last = last._replace(amount=last.amount + event[1])
                continue
            said = event.says(place)
            if said is not None and (last.as_of is None or event.as_of > last.as_of):
                last = Figure(event.as_of, said, said)
        return last

    def places(self) -> set[Place]:
        found: set[Place] = set()
        for event in self.heard:
            found |= {event[0]} if isinstance(event, tuple) else set(event.rows)
        return found

    def with_report(self, report: ModelReport) -> "ModelSource":
        return ModelSource([*self.heard, report])

    def contradicts(self, report: ModelReport) -> bool:
        """Whether a row says another amount as of the instant of the last word."""
        figures = ((self.figure(place), amount) for place, amount in report.rows.items())
        return any(f.as_of == report.as_of and f.said != amount for f, amount in figures)

    def stale(self, report: ModelReport) -> int:
        """How many rows are older than the last word on their place."""
        ages = [self.figure(place).as_of for place in report.rows]
        return sum(as_of is not None and report.as_of < as_of for as_of in ages)

    def falls(self, report: ModelReport) -> bool:
        """Whether a complete report says less than half of what was said of its range.

        People's corrections are not asked: they tell nothing of a download that is cut off.
        """
        after = self.with_report(report)
        covered = [place for place in after.places() if report.covers(place)]
        left = sum(after.figure(place).said for place in covered)
        return left * 2 < sum(self.figure(place).said for place in covered)


@dataclass
class ModelLedger:
    """What was appended, and what the restating sources say."""

    lines: list[tuple[Place, Decimal]] = field(default_factory=list)
    sources: dict[str, ModelSource] = field(default_factory=dict)

    def figures(self) -> Iterator[tuple[Place, Decimal]]:
        """All that counts: lines, and the last word on each place of each source."""
        yield from self.lines
        for source in self.sources.values():
            for place in source.places():
                yield place, source.figure(place).amount
