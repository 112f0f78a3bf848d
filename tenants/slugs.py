"""The label of an agency's host: `acme` in `acme.paceline.example`."""

import re

from kernel.errors import InvalidValue

# A DNS label (RFC 1035, section 2.3.1), lower case.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What a platform's own hosts are called, what mail and browsers look for by itself, and the names
# to which certificates for a whole domain are sent (CA/Browser Forum, section 3.2.2.4.4).
RESERVED = frozenset(
    "www www1 www2 web mail email webmail smtp imap imaps pop pop3 mx mx1 mx2 ftp sftp ssh vpn"
    " ns ns1 ns2 ns3 ns4 dns api admin administrator root system security abuse hostmaster"
    " postmaster webmaster noreply no-reply app apps static assets media cdn files status health"
    " metrics docs doc help support billing payments account accounts auth oauth sso login logout"
    " signin signup sign-up register public platform paceline staff tenants localhost localdomain"
    " local broadcasthost isatap wpad autodiscover autoconfig mta-sts".split()
)


def check_slug(slug: str) -> None:
    """Raise InvalidValue where `slug` can't be the label of an agency's host."""
    if not _LABEL.fullmatch(slug):
        raise InvalidValue(
            "An address is 1 to 63 lower-case letters, digits and hyphens, and neither starts nor"
            " ends with a hyphen.",
            field="slug",
        )
    if slug[2:4] == "--":
        raise InvalidValue(
            "An address has no two hyphens in third and fourth place: such names stand for others"
            " (xn--…).",
            field="slug",
        )
    if slug.isdigit():
        raise InvalidValue("An address of digits alone could be a machine's.", field="slug")
    if slug in RESERVED:
        raise InvalidValue(f"The address {slug!r} is reserved.", field="slug")


def check_host(host: str, *, base: str) -> None:
    """Raise InvalidValue where `host` can't be a further host of an agency.

    A bare label is below the platform's domain (`base`) and follows the rules of a slug; anything
    else is a whole host name elsewhere (RFC 1123, section 2.1), lower case, without port.
    """
    if "." not in host:
        try:
            check_slug(host)
        except InvalidValue as refusal:
            raise InvalidValue(refusal.message, field="domain") from None
        return
    labels = host.split(".")
    # A last label of digits is an address's, not a name's.
    if len(host) > 253 or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidValue(
            "A host is a name such as ads.acme.com: lower case, without scheme, port or path.",
            field="domain",
        )
    if host == base or host.endswith(f".{base}"):
        raise InvalidValue(f"Below {base}, give the label alone.", field="domain")
