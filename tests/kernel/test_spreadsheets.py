"""A cell is read as the text that it is, and a number as a number."""

from decimal import Decimal

import pytest

from kernel.spreadsheets import cell

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\tplain",
    "\rplain",
    "  =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM",
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "-1\n=1",
    "--1",
    "+49 30 1234",
    "=",
    "-",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (-5, "-5"),
        (Decimal("-12.50"), "-12.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-1E+3"), "-1000"),
        (Decimal("1E-7"), "0.0000001"),
        ("-12.50", "-12.50"),
        ("Northwind", "Northwind"),
        ("a=b", "a=b"),
        ("x @ y", "x @ y"),
        ("'=1", "'=1"),
    ],
)
def test_anything_else_is_written_as_it_is(value, written):
    assert cell(value) == written
