"""`manage.py simulate_spend`: spends the demo agencies' money through their public API."""

import logging
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.arguments import count, seconds
from demo.public_api import AwayError
from demo.simulator import NoAgencyError, play, play_once


class Command(BaseCommand):
    help = "Post spend of the demo's running campaigns, until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--seconds", type=seconds, help="stop after so many seconds")
        length.add_argument("--once", action="store_true", help="play one moment and stop")
        parser.add_argument(
            "--seed", type=count(least=0), default=1, help="what the amounts are drawn from"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # A line for each request would say nothing and fill the log.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            with _stopped_by_sigterm():
                if options["once"]:
                    agencies = play_once(seed=options["seed"])
                    self.stdout.write(f"Played one moment in {agencies} agencies.")
                else:
                    self.stdout.write("Spending the demo's money.")
                    play(seed=options["seed"], seconds=options["seconds"])
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        except AwayError as away:
            raise CommandError(f"{away}.") from None
        except NoAgencyError:
            raise CommandError(
                "There is no demo agency; manage.py create_demo makes them."
            ) from None


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end whatever is waited for at once, as Ctrl-C does."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
