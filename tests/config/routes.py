"""Every route of a site, and an address for each: so that a test forgets none."""

from collections.abc import Callable, Iterator

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

# Chooses the value of a parameter by its name, for a route.
ValueOf = Callable[[str, URLPattern], str]
Piece = RoutePattern | object


def addresses(urlconf: str, value_of: ValueOf) -> dict[str, str]:
    """Return an address for each route of a site, by the route as `path()` has it."""
    found = {}
    for pieces, at in _walked(get_resolver(urlconf), ()):
        address = "".join(_filled(piece, at, value_of) for piece in pieces)
        found["".join(map(str, pieces))] = f"/{address}"
    return found


def _walked(
    resolver: URLResolver, before: tuple[Piece, ...]
) -> Iterator[tuple[tuple[Piece, ...], URLPattern]]:
    for one in resolver.url_patterns:
        pieces = (*before, one.pattern)
        if isinstance(one, URLResolver):
            yield from _walked(one, pieces)
        else:
            yield pieces, one


def _filled(piece: Piece, at: URLPattern, value_of: ValueOf) -> str:
    """Put values in the place of a piece's parameters."""
    text = str(piece)
    if not isinstance(piece, RoutePattern):
        [(template, names), *_] = normalize(text)
        return template % {name: value_of(name, at) for name in names}
    address = ""
    while "<" in text:
        before, _, rest = text.partition("<")
        word, _, text = rest.partition(">")
        address += before + value_of(word.rpartition(":")[2], at)
    return address + text


def first_row(at: URLPattern) -> str:
    """Return the id of a row of the model that a page of an admin is about; "0" where none is."""
    label = (at.name or "").rpartition("_")[0]
    for model in apps.get_models():
        if label == f"{model._meta.app_label}_{model._meta.model_name}":
            row = model._default_manager.first()
            return str(row.pk) if row else "0"
    return "0"
