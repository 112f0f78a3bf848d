"""`python -m tests.crash --minutes 5 --seed 7`: run, let things die, compare; 1 if all is not well.

Everything is on loopback and on a disk of its own, and ends with the run.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.crash.calls import Script
from tests.crash.checker import Findings, check, read_ledger, read_statuses
from tests.crash.clients import Client
from tests.crash.connection import Connection
from tests.crash.disk import NoSmallDiskError, SmallDisk
from tests.crash.expected import Expected, expected
from tests.crash.journal import Heard, read_journals
from tests.crash.nemesis import FILL, Nemesis
from tests.crash.system import System
from tests.crash.world import World, make_world

# PostgreSQL's own files, its log, and what some minutes of spending take.
DISK_MEGABYTES, DISK_MEGABYTES_A_MINUTE = 400, 60
TOLD_MAX = 20  # Of each kind of finding.


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    minutes: float
    clients: int
    seed: int
    loses_commits: bool

    @property
    def seconds(self) -> float:
        return self.minutes * 60


def main() -> int:
    """Run once and return the exit code."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="paceline-crash-", dir="/tmp"))
    home.chmod(0o711)  # PostgreSQL runs under an account of its own.
    is_well = False
    try:
        is_well = Run(options, home).go()
    finally:
        if is_well:
            shutil.rmtree(home, ignore_errors=True)
        else:
            print(f"journals and logs: {home}")
    return 0 if is_well else 1


def parse(words: list[str]) -> Options:
    """Return the options; argparse ends the program where they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long things die")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=None, help="default: drawn, and printed")
    parser.add_argument(
        "--lose-commits",
        action="store_true",
        help="turn synchronous_commit off, to see that lost spends are found",
    )
    found = parser.parse_args(words)
    if found.minutes <= 0 or not 1 <= found.clients <= 12:
        parser.error("--minutes is above 0, and --clients between 1 and 12")
    seed = random.SystemRandom().randrange(10**6) if found.seed is None else found.seed
    return Options(found.minutes, found.clients, seed, found.lose_commits)


class Run:
    """One run in a folder of its own."""

    def __init__(self, options: Options, home: Path) -> None:
        """Prepare it; `home` is empty."""
        self._options = options
        self._home = home
        self._journals = home / "journals"
        self._journals.mkdir()
        self._system = System(home)
        self._disk, self._no_disk = self._small_disk()

    def go(self) -> bool:
        """Do everything, print what came of it, and return whether all was well."""
        try:
            self._system.start()
            world = make_world(self._system)
            if self._options.loses_commits:
                self._system.set_postgres(synchronous_commit="off")
            return self._go(world)
        finally:
            self._system.stop()
            if self._disk is not None:
                self._disk.unmount()

    def _go(self, world: World) -> bool:
        agency = next(iter(world.agencies.values()))
        has_keys = knows_idempotency_keys(
            Connection(self._system.port, agency.slug, agency.key, patience_seconds=60)
        )
        print(
            f"seed {self._options.seed}: {len(world.agencies)} agencies,"
            f" {len(world.campaigns)} campaigns, {self._options.clients} clients,"
            f" {self._options.seconds:.0f} s;"
            f" Idempotency-Key {'used' if has_keys else 'not known to the API, so not used'}",
            flush=True,
        )
        ended, lifted = threading.Event(), threading.Event()
        clients = self._clients(world, ended, lifted, has_keys=has_keys)
        nemesis = Nemesis(
            self._system, self._disk, seed=self._options.seed, seconds=self._options.seconds
        )
        try:
            nemesis.rage()
        finally:
            ended.set()
        for client in clients:
            client.is_idle.wait()
        since = time.monotonic()
        sick = self._system.wait_until_well(agency.slug, agency.key)
        print(f"everything up again {time.monotonic() - since:.1f} s after the last fault")
        self._system.wait_until_quiet()
        lifted.set()
        for client in clients:
            client.join()
            if client.failure is not None:
                raise client.failure
        return self._judge(world, nemesis, [f"{part}: {why}" for part, why in sick.items()])

    def _judge(self, world: World, nemesis: Nemesis, stuck: list[str]) -> bool:
        journal = read_journals(sorted(self._journals.iterdir()))
        promised = expected(journal, world)
        with self._system.database() as database:
            # What crosses a limit holds in the commit that records it, so no sweep is waited for.
            before = check(promised, [], read_statuses(database, world))
            if not self._system.tick():
                stuck.append("no worker does a tick any more")
            violations = self._sweep_and_audit()
            findings = check(promised, read_ledger(database, world), read_statuses(database, world))
        print_journal(journal)
        self._print_faults(nemesis)
        return print_findings(findings, before, promised, stuck, violations)

    def _sweep_and_audit(self) -> list[str]:
        self._system.manage("enforce_budgets")
        try:
            self._system.manage("audit_ledger")
        except subprocess.CalledProcessError as failure:
            return str(failure.stderr).splitlines()
        return []

    def _clients(
        self, world: World, ended: threading.Event, lifted: threading.Event, *, has_keys: bool
    ) -> list[Client]:
        count, seed = self._options.clients, self._options.seed
        started = []
        for number in range(count):
            script = Script(world, client=number, clients=count, seed=seed, has_keys=has_keys)
            client = Client(
                script,
                world,
                port=self._system.port,
                path=self._journals / f"client-{number:02}",
                seed=f"tries {number} {seed}",
                # In a short run nobody waits long, or nothing would be asked.
                patience_seconds=min(3.0, 1 + self._options.minutes),
                ended=ended,
                lifted=lifted,
            )
            client.daemon = True
            client.start()
            started.append(client)
        return started

    def _small_disk(self) -> tuple[SmallDisk | None, str]:
        folder = self._home / "pg"
        folder.mkdir(mode=0o700)
        megabytes = DISK_MEGABYTES + int(DISK_MEGABYTES_A_MINUTE * self._options.minutes)
        try:
            return SmallDisk(folder, megabytes=megabytes), ""
        except NoSmallDiskError as error:
            return None, str(error)

    def _print_faults(self, nemesis: Nemesis) -> None:
        print(f"faults: {sum(nemesis.struck.values())} ({told(nemesis.struck)})")
        if nemesis.missed:
            print(f"missed, as nothing was there: {told(nemesis.missed)}")
        if self._disk is None:
            print(f"SKIPPED fault: {FILL} ({self._no_disk})")


def knows_idempotency_keys(connection: Connection) -> bool:
    """Return whether the API says that it takes the header Idempotency-Key."""
    _, description = connection.call("GET", "/api/schema/?format=json")
    return "Idempotency-Key" in str(description)


def print_journal(journal: list[Heard]) -> None:
    """Print how much was asked, and what was answered."""
    attempts = sum(len(heard.statuses) for heard in journal)
    print(f"operations: {len(journal)} ({told(Counter(heard.call.kind for heard in journal))})")
    unknown = Counter(
        str(status or "no answer")
        for heard in journal
        for status in heard.statuses
        if not heard.call.is_answered_by(status)
    )
    print(f"attempts: {attempts}; unknown: {sum(unknown.values())} ({told(unknown)})")


def print_findings(
    findings: Findings,
    before: Findings,
    promised: Expected,
    stuck: list[str],
    violations: list[str],
) -> bool:
    """Print what is not as it should be; return whether that is nothing."""
    found: dict[str, list[str]] = {
        "lost": findings.lost,
        "doubled": findings.doubled,
        "wrong": findings.wrong,
        "wrongly running": findings.wrongly_running,
        "wrongly held": findings.wrongly_held,
        "wrong status before the sweep": before.wrongly_running + before.wrongly_held,
        "violations in audit_ledger": violations,
        "never answered": promised.unanswered,
        "not up again": stuck,
    }
    for name, sentences in found.items():
        for sentence in sentences[:TOLD_MAX]:
            print(f"  {name}: {sentence}")
    print(
        f"promised: {len(promised.rows)} rows, {len(promised.reversed)} reversals,"
        f" {len(promised.words)} restated figures, {len(promised.refused)} refused rows,"
        f" {len(promised.held())} of {len(promised.world.campaigns)} campaigns held"
    )
    print(", ".join(f"{name} {len(sentences)}" for name, sentences in found.items()))
    return not any(found.values())


def told(counts: Counter[str]) -> str:
    """Return counts in words, in the order of their names."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
