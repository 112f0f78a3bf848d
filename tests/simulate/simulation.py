"""Weeks of several agencies, driven through the real services with a clock of our own.

Ticks come as the product does them: claims, then sweeps, at the full minute after the earliest
hint. The backstop is off but for a few of them, so that the hints alone have to be right; sometimes
the scheduler is away for hours.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from campaigns.models import StatusChange
from campaigns.sweep import sweep_agency
from kernel import clock
from tenants import claims
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tenants.services import create_agency
from tests.simulate.checks import Checks
from tests.simulate.edits import Edits
from tests.simulate.spending import Spending
from tests.simulate.world import World

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_NEVER = datetime(2199, 1, 1, tzinfo=UTC)


@dataclass
class Figures:
    """What was done, and a sentence for each mismatch."""

    steps: int = 0
    decisions: int = 0
    sweeps: int = 0
    changes: int = 0
    wrong: list[str] = field(default_factory=list)


class Simulated:
    """One agency with what happens in it."""

    def __init__(self, agency: Agency, dice: random.Random, now: datetime) -> None:
        self.agency = agency
        self.dice = dice
        with tenant_context(agency):
            self.world = World(agency, dice, now)
            self.checks = Checks(self.world)
            self.spending = Spending(self.world, now)
            self.edits = Edits(self.world)

    def happen(self, now: datetime) -> Iterator[datetime]:
        """Let something happen from `now` on; yield the instant of each thing done."""
        yield self._do(self.spending.report, now)
        now += 2 * _SECOND
        rare = [self.spending.correct, self.spending.reverse, self.spending.restate_yesterday]
        rare += [self.spending.tell_all, *[self.edits.one] * 12]
        for _ in range(self.dice.choice([0, 0, 1, 1, 2])):
            yield self._do(self.dice.choice(rare), now)
            now += _SECOND

    @staticmethod
    def _do(deed: object, now: datetime) -> datetime:
        Clock.now = now
        deed(now)  # type: ignore[operator]
        return now


class Clock:
    """The one clock of a simulation."""

    now = datetime.min.replace(tzinfo=UTC)


class Simulation:
    """All agencies, from `start` on."""

    def __init__(self, *, agencies: int, start: datetime, seed: int) -> None:
        """Make the agencies; call it on the platform's schema."""
        self.dice = random.Random(seed)
        self.start = Clock.now = start
        clock.read = lambda: Clock.now
        self.figures = Figures()
        self.simulated: dict[int, Simulated] = {}
        for number in range(agencies):
            agency = create_agency(name=f"Agency {number}", slug=f"agency-{number}")
            dice = random.Random(f"{seed} {number}")
            self.simulated[agency.pk] = Simulated(agency, dice, start)
        Agency.objects.update(full_sweep_at=_NEVER, next_check_at=start)

    def run(self, until: datetime) -> Iterator[datetime]:
        """Let time pass, and yield each instant at which a day has gone by."""
        events = [
            (self.start + _MINUTE * self.dice.randrange(1, 90), key) for key in self.simulated
        ]
        heapq.heapify(events)
        away_until, day = self.start, self.start
        while events[0][0] < until:
            at, key = events[0]
            tick_at = max(self._next_tick(), away_until)
            if tick_at <= at:
                self._tick(tick_at)
                if self.dice.random() < 0.005:
                    away_until = tick_at + _MINUTE * self.dice.randrange(20, 600)
            else:
                self._happen(self.simulated[key], at)
                pause = _MINUTE * self.dice.randrange(20, 200) + _SECOND * self.dice.randrange(60)
                heapq.heapreplace(events, (at + pause, key))
            if events[0][0] >= day + timedelta(days=1):
                day += timedelta(days=1)
                yield day

    def _next_tick(self) -> datetime:
        """The full minute at which the earliest hint is due."""
        hints = Agency.objects.exclude(next_check_at=None).order_by("next_check_at")
        hint = hints.values_list("next_check_at", flat=True).first() or _NEVER
        minute = hint.replace(second=0, microsecond=0)
        return max(minute if minute == hint else minute + _MINUTE, Clock.now)

    def _tick(self, now: datetime) -> None:
        Clock.now = now
        if self.dice.random() < 0.05:
            # It is somebody's turn of the backstop.
            Agency.objects.filter(pk=self.dice.choice(list(self.simulated))).update(
                full_sweep_at=None
            )
        for claim in claims.claim_due(now=now):
            agency = Agency.objects.get(pk=claim.agency_id)
            sweep_agency(agency, is_full=claim.is_full, now=now)
            if claim.is_full:
                Agency.objects.filter(pk=agency.pk).update(full_sweep_at=_NEVER)
            self.figures.sweeps += 1
            simulated = self.simulated[claim.agency_id]
            with tenant_context(agency):
                simulated.world.settle(now)
            self._check(simulated, now)

    def _happen(self, simulated: Simulated, now: datetime) -> None:
        # First as time has left it: what happens next decides on most of it anew.
        self._check(simulated, now)
        with tenant_context(simulated.agency):
            for at in simulated.happen(now):
                self._check(simulated, at)

    def _check(self, simulated: Simulated, now: datetime) -> None:
        self.figures.steps += 1
        with platform_context():
            agency = Agency.objects.get(pk=simulated.agency.pk)
        is_pending = agency.next_check_at is not None and agency.next_check_at <= now
        with tenant_context(agency):
            wrong = list(simulated.checks.wrong(now, is_pending=is_pending))
            wrong += simulated.checks.wrong_totals()
        self.figures.wrong += [f"{now} {agency.slug} {sentence}" for sentence in wrong]

    def close(self) -> Figures:
        """Count what is told of, and return all figures."""
        for simulated in self.simulated.values():
            self.figures.decisions += simulated.world.decisions
            with tenant_context(simulated.agency):
                self.figures.changes += StatusChange.objects.count()
        return self.figures
