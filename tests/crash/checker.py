"""The ledger against what the journals promise. It reads tables, and none of the product's code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import psycopg
from psycopg import sql

from tests.crash.expected import Expected, Place, Row
from tests.crash.world import World

SAYS_WHICH_CALL = ("spend", "correction")


class Line(NamedTuple):
    """An entry of the ledger."""

    id: str
    source: str
    campaign: str
    day: date
    amount: Decimal
    spend_type: str
    kind: str
    description: str
    reverses: str | None

    @property
    def row(self) -> Row:
        return Row(self.campaign, self.day, self.amount, self.spend_type)


@dataclass(slots=True)
class Findings:
    """What is not as was promised, each in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    # Neither: other content, an entry that nobody asked for or that was refused.
    wrong: list[str] = field(default_factory=list)
    wrongly_running: list[str] = field(default_factory=list)
    wrongly_held: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        names = self.__slots__
        return {name.replace("_", " "): len(getattr(self, name)) for name in names}


def read_ledger(database: psycopg.Connection, world: World) -> list[Line]:
    """Return the entries of both agencies."""
    query = sql.SQL(
        "SELECT e.id::text, e.source, c.id::text, e.day, e.amount, e.spend_type, e.kind,"
        " e.description, e.reverses_id::text"
        " FROM {0}.budgets_spendentry e JOIN {0}.campaigns_campaign c USING (budget_id)"
    )
    lines: list[Line] = []
    for agency in world.agencies.values():
        rows = database.execute(query.format(sql.Identifier(agency.schema)))
        lines.extend(Line(*row) for row in rows)
    return lines


def read_statuses(database: psycopg.Connection, world: World) -> dict[str, str]:
    """Return the status of each campaign of both agencies."""
    query = sql.SQL("SELECT id::text, status FROM {}.campaigns_campaign")
    statuses: dict[str, str] = {}
    for agency in world.agencies.values():
        rows = database.execute(query.format(sql.Identifier(agency.schema)))
        statuses |= dict(rows.fetchall())
    return statuses


def check(expected: Expected, lines: Iterable[Line], statuses: Mapping[str, str]) -> Findings:
    """Compare what there is with what was promised."""
    findings = Findings()
    by_kind: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_kind["row" if line.kind in SAYS_WHICH_CALL else line.kind].append(line)
    _check_rows(expected, by_kind.pop("row", []), findings)
    _check_reversals(expected, by_kind.pop("reversal", []), findings)
    _check_words(expected, by_kind.pop("restated", []), findings)
    findings.wrong += [f"entries of the unknown kind {kind}" for kind in by_kind]
    findings.wrong += expected.surprises
    _check_statuses(expected, statuses, findings)
    return findings


def _check_rows(expected: Expected, lines: list[Line], findings: Findings) -> None:
    counts = Counter(line.description for line in lines)
    for token, row in expected.rows.items():
        if counts[token] == 0:
            findings.lost.append(f"{token}: {row}")
        findings.doubled += [f"{token}: {row}"] * (counts[token] - 1)
    for line in lines:
        wanted = expected.rows.get(line.description)
        if line.description in expected.refused and wanted is None:
            findings.wrong.append(f"{line.description} was refused, and is there: {line.row}")
        elif wanted is None:
            findings.wrong.append(f"{line.description!r} was never answered for: {line.row}")
        elif wanted != line.row:
            findings.wrong.append(f"{line.description} is {line.row}, not {wanted}")


def _check_reversals(expected: Expected, lines: list[Line], findings: Findings) -> None:
    counts = Counter(str(line.reverses) for line in lines)
    for entry, token in expected.reversed.items():
        if counts[entry] == 0:
            findings.lost.append(f"the reversal of {token}")
        findings.doubled += [f"the reversal of {token}"] * (counts[entry] - 1)
    for line in lines:
        reversed_row = expected.rows.get(expected.reversed.get(str(line.reverses), ""))
        if reversed_row is None:
            findings.wrong.append(f"nobody reversed {line.reverses}: {line.row}")
        elif line.row != reversed_row._replace(amount=-reversed_row.amount):
            findings.wrong.append(f"the reversal of {reversed_row} is {line.row}")


def _check_words(expected: Expected, lines: list[Line], findings: Findings) -> None:
    sums: dict[Place, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[Place(line.source, line.campaign, line.day)] += line.amount
    for place in sums.keys() | expected.words.keys():
        last, stands = expected.figure(place), sums[place]
        if place not in expected.words:
            findings.wrong.append(f"nobody said anything of {place}: {stands}")
        elif stands != last:
            # An earlier word stands: the last is missing. Any other sum counts one twice.
            earlier = {Decimal(0), *(word.amount for word in expected.words[place])}
            which = findings.lost if stands in earlier else findings.doubled
            which.append(f"the last word on {place} is {last}, the ledger says {stands}")


def _check_statuses(expected: Expected, statuses: Mapping[str, str], findings: Findings) -> None:
    held = expected.held()
    for campaign in expected.world.campaigns:
        status = statuses.get(campaign.id, "missing")
        told = f"campaign {campaign.id} of {campaign.agency} is {status}"
        if campaign.id in held and status != "PAUSED":
            findings.wrongly_running.append(told)
        if campaign.id not in held and status != "ACTIVE":
            findings.wrongly_held.append(told)
