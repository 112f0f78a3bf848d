"""What may stand in front of the platform's domain, and what may not, in sentences."""

import pytest

from kernel.errors import InvalidValue
from tenants.slugs import check_slug


@pytest.mark.parametrize(
    "slug", ["a", "acme", "acme-media", "4ads", "a--b", "trial", "demo", "x" * 63, "xn-a"]
)
def test_a_label_of_a_host_is_an_address(slug):
    check_slug(slug)


@pytest.mark.parametrize(
    ("slug", "sentence"),
    [
        ("", "1 to 63"),
        ("x" * 64, "1 to 63"),
        ("-acme", "hyphen"),
        ("acme-", "hyphen"),
        ("Acme", "lower-case"),
        ("ac me", "lower-case"),
        ("acme\n", "lower-case"),
        ("acme.media", "lower-case"),
        ("acme_media", "lower-case"),
        ("äcme", "lower-case"),
        # A Cyrillic "а" looks like the Latin one.
        ("аcme", "lower-case"),
        ("xn--80ak6aa92e", "third and fourth"),
        ("ab--cd", "third and fourth"),
        ("127", "digits alone"),
        ("www", "reserved"),
        ("admin", "reserved"),
        ("api", "reserved"),
        ("mail", "reserved"),
        ("static", "reserved"),
        ("status", "reserved"),
        ("support", "reserved"),
        ("localhost", "reserved"),
        ("wpad", "reserved"),
        ("postmaster", "reserved"),
    ],
)
def test_what_is_none_says_why(slug, sentence):
    with pytest.raises(InvalidValue, match=sentence) as refused:
        check_slug(slug)
    assert refused.value.field == "slug"
