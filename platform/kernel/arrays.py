"""Arrays of PostgreSQL as texts."""

from collections.abc import Iterable
from uuid import UUID


def array(values: Iterable[object]) -> str:
    """Write an array of values whose texts need no quotes: ids, days, instants, numbers, words.

    The driver asks of each value how it is written, which takes several times as long.
    """
    return f"{{{','.join(map(str, values))}}}"


def text_array(texts: Iterable[str]) -> str:
    """Write an array of texts, whatever is in them."""
    quoted = []
    for text in texts:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        quoted.append(f'"{escaped}"')
    return f"{{{','.join(quoted)}}}"


def id_array(ids: Iterable[UUID]) -> str:
    """Write an array of ids, in a quarter of the time that `array` takes: without their dashes."""
    return f"{{{','.join([key.hex for key in ids])}}}"
