"""The short run of `python -m tests.zones`: every rule and transition, fewer minutes of each."""

from tests.zones.proof import SHORT, Proof


def test_hours_and_periods_are_right_in_every_zone_over_every_jump_of_its_clock():
    proof = Proof(SHORT)
    told = list(proof.lines())
    assert not proof.wrong, "\n".join([*told, *proof.wrong[:20]])
    # A tz database without jumps would agree with anything.
    assert len(proof.rules) > 50
