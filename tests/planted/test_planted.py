"""Every planted bug fits today's code, and the harness tells a caught one from a missed one.

Whether all are caught, `python -m tests.planted` tells: it runs the fast part once for each.
"""

import pytest

from .mutations import MUTATIONS, CanNotPlant, Mutation
from .planting import FAST_PART, ROOT, judge

REACHED = next(mutation for mutation in MUTATIONS if "just reached" in mutation.means)


def test_there_are_twenty_and_each_means_something_else():
    assert len({mutation.means for mutation in MUTATIONS}) == 20


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.means)
def test_it_fits_the_code_of_today(mutation):
    text = mutation.applied_to(ROOT)
    assert text != (ROOT / mutation.path).read_text()
    compile(text, mutation.path, "exec")


def test_the_fast_part_is_there():
    assert [path for path in FAST_PART if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("old", "found"), [("gone", "0 times"), ("limit", "times")])
def test_a_text_that_is_not_there_exactly_once_is_named(old, found):
    mutation = Mutation("something is wrong", REACHED.path, f"{old}", "x")
    with pytest.raises(CanNotPlant, match=f"'something is wrong': '{old}' is .*{found}"):
        mutation.applied_to(ROOT)


def test_a_planted_bug_is_caught_by_a_test_that_is_named():
    before = (ROOT / REACHED.path).read_text()
    verdict = judge(REACHED, FAST_PART[:1])
    assert verdict.caught_by is not None
    assert verdict.caught_by.startswith("tests/campaigns/test_delivery.py::")
    assert (ROOT / REACHED.path).read_text() == before


def test_a_change_that_is_no_bug_is_missed():
    harmless = Mutation("nothing is wrong", REACHED.path, "spent * 100 >= ", "spent * 100 >=  ")
    assert judge(harmless, FAST_PART[:1]).caught_by is None
