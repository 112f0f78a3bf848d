"""Reads Dockerfile, .dockerignore and docker-compose.yml as their engines do, where we need it."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgresql://paceline:dbpass@postgres:5432/paceline",
    "REDIS_URL": "redis://:redispass@valkey:6379/0",
}


class Instruction(NamedTuple):
    """A line of a Dockerfile: `COPY`, and the words behind it."""

    name: str
    words: list[str]


def dockerfile() -> list[Instruction]:
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return [Instruction(name, words) for name, *words in lines]


def interpolated(text: str, values: dict[str, str]) -> str:
    """Fill in `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`, as Compose does."""

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name, operator, word = found["name"], found["operator"], found["word"]
        if operator == ":?" and not values.get(name):
            raise LookupError(f"{name}: {word}")
        return values.get(name) or (word if operator == ":-" else "")

    pattern = r"\$\$|\$\{(?P<name>[A-Z_]+)(?:(?P<operator>:[-?])(?P<word>[^}]*))?\}"
    return re.sub(pattern, fill, text)


def compose(**values: str) -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text()
    parsed: dict[str, Any] = yaml.safe_load(text)

    def fill(node: Any) -> Any:
        match node:
            case str():
                return interpolated(node, GIVEN | values)
            case list():
                return [fill(item) for item in node]
            case dict():
                return {key: fill(item) for key, item in node.items()}
        return node

    filled: dict[str, Any] = fill(parsed)
    return filled


def service(name: str, **values: str) -> dict[str, Any]:
    found: dict[str, Any] = compose(**values)["services"][name]
    return found


def documented_names() -> set[str]:
    """Return the settings that `.env.example` tells of."""
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z_]+)=", text, flags=re.MULTILINE))


def is_in_context(path: str) -> bool:
    """Tell what .dockerignore leaves of the checkout; its last matching line wins."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    is_left = True
    for line in lines:
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = path.split("/") if line.startswith("**/") else path.split("/")[:1]
        if pattern == "*" or pattern in parts:
            is_left = line.startswith("!")
    return is_left
