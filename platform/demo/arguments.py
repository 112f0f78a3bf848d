"""What the commands of the demo take as numbers."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable


def count(*, least: int) -> Callable[[str], int]:
    """Return a type for argparse: whole numbers from `least` on."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no whole number.") from None
        if number < least:
            raise ArgumentTypeError(f"must be {least} or more, not {number}.")
        return number

    return parse


def seconds(text: str) -> float:
    """A type for argparse: a number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number of seconds.") from None
    if not math.isfinite(number) or number <= 0:
        raise ArgumentTypeError(f"must be above 0, not {text}.")
    return number
