"""What a comparison asked, and what was answered wrongly."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """How often was asked, and a sentence for each mismatch."""

    minutes: int = 0
    changes: int = 0
    days: int = 0
    moves: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
