"""One run: the writers, the watcher beside them, and what came of it."""

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from campaigns.audit import Violation, audit
from tenants.contexts import tenant_context
from tenants.models import Agency
from tests.waiting import PATIENCE_SECONDS

from .books import drift
from .stage import make_stage
from .watcher import Watcher, Wrong, crossings, deadlocks
from .writers import Writer


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did (counts), and everything that is wrong with it."""

    writers: int
    brands: int
    seconds: float
    accepted: int
    refused: int
    reached: int
    freed: int
    snapshots: int
    retries: int
    deadlocks: int
    drift: Decimal
    wrongly_running: int
    wrongly_held: int
    wrong: list[Wrong]
    violations: list[Violation]
    failures: list[BaseException]

    @property
    def is_right(self) -> bool:
        """Whether all went well, and there was something that could have gone wrong."""
        is_clean = not (self.drift or self.wrongly_running or self.wrongly_held or self.deadlocks)
        is_telling = bool(self.reached and self.freed and self.snapshots)
        return is_clean and is_telling and not self.violations and not self.failures

    def lines(self) -> Iterable[str]:
        """Tell it to people."""
        on = "1 brand" if self.brands == 1 else f"{self.brands} brands"
        yield f"{self.writers} writers on {on} for {self.seconds:.0f} s"
        yield (
            f"  {self.accepted} operations accepted, {self.refused} refused,"
            f" {self.accepted / self.seconds:.0f} commits a second"
        )
        yield f"  limits reached {self.reached} times, free again {self.freed} times"
        yield (
            f"  retries {self.retries}, deadlocks {self.deadlocks},"
            f" drift {self.drift.normalize():f}"
        )
        yield (
            f"  wrongly running {self.wrongly_running}, wrongly held {self.wrongly_held}"
            f" in {self.snapshots} snapshots; {len(self.violations)} violations of the invariants"
        )
        for what in (*self.wrong, *self.violations, *self.failures):
            yield f"  ! {what!r}"


def hammer(
    agency: Agency,
    *,
    writers_count: int,
    brands_count: int,
    seconds: float,
    seed: int,
    until_wrong: bool = False,
) -> Result:
    """Let the writers loose on an agency of its own, whose rows are really committed.

    They go on for `seconds`, and on a slow machine until limits were reached and free again. With
    `until_wrong` it ends as soon as something wrong was seen; `seconds` are the most then.
    """
    with tenant_context(agency):
        before = deadlocks()
        stage = make_stage(brands_count=brands_count)
    writers = [Writer(stage, Random(f"{seed}-{number}")) for number in range(writers_count)]
    watcher = Watcher(agency)
    started = time.monotonic()
    failures: list[BaseException] = []

    def is_over() -> bool:
        if failures or (until_wrong and watcher.first):
            return True
        took = time.monotonic() - started
        is_telling = until_wrong or watcher.has_seen_both
        return took >= seconds and (is_telling or took >= PATIENCE_SECONDS)

    def note(future: "Future[None]") -> None:
        if (error := future.exception()) is not None:
            failures.append(error)

    with ThreadPoolExecutor(writers_count + 1) as pool:
        watching = pool.submit(watcher.watch)
        watching.add_done_callback(note)
        running = [pool.submit(writer.run, agency, is_over) for writer in writers]
        for future in running:
            future.add_done_callback(note)
        for future in running:
            future.exception()
        took = time.monotonic() - started
        watcher.is_done.set()
    with tenant_context(agency):
        watcher.look()
        reached, freed = crossings()
        return Result(
            writers=writers_count,
            brands=brands_count,
            seconds=took,
            accepted=sum(writer.accepted for writer in writers),
            refused=sum(writer.refused for writer in writers),
            reached=reached,
            freed=freed,
            snapshots=watcher.snapshots,
            retries=sum(writer.retries for writer in writers),
            deadlocks=deadlocks() - before,
            drift=drift(writer.books for writer in writers),
            wrongly_running=watcher.running,
            wrongly_held=watcher.held,
            wrong=watcher.first,
            violations=audit().violations,
            failures=failures,
        )
