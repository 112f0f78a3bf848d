"""The label of an agency's host: `acme` in `acme.paceline.example`."""

import re

from kernel.errors import InvalidValue

# A DNS label (RFC 1035, section 2.3.1), lower case.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
RESERVED = frozenset(
    "www mail smtp imap ftp api admin app apps static assets media cdn status docs help support"
    " billing public platform paceline localhost ns1 ns2 autodiscover autoconfig".split()
)


def check_slug(slug: str) -> None:
    """Raise InvalidValue where `slug` can't be the label of an agency's host."""
    if not _LABEL.fullmatch(slug) or slug.startswith("xn--"):
        raise InvalidValue(
            "An address is 1 to 63 lower-case letters, digits and hyphens, and neither starts nor"
            " ends with a hyphen.",
            field="slug",
        )
    if slug in RESERVED:
        raise InvalidValue(f"The address {slug!r} is reserved.", field="slug")
