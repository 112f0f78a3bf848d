"""An amount is read as it was meant, whoever wrote it; what could be meant in two ways is not."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel.amounts import read_amount
from kernel.errors import InvalidValue

# How people write: what stands between thousands, and before the decimals.
NOTATIONS = [
    ("", "."),
    (",", "."),
    (" ", "."),
    ("'", "."),
    ("\u2019", "."),
    ("", ","),
    (".", ","),
    (" ", ","),
    ("\u00a0", ","),
    ("\u202f", ","),
    ("\u2009", ","),
    ("'", ","),
]
amounts = st.integers(0, 6).flatmap(
    lambda places: st.decimals(Decimal(-(10**11)), 10**11, places=places)
)
notations = st.sampled_from(NOTATIONS)


def write(amount, notation):
    """Write an amount with its decimals as they are, zeros included."""
    thousands, decimal = notation
    marks = {",": thousands, ".": decimal}
    return "".join(marks.get(sign, sign) for sign in f"{amount:,f}")


@given(amount=amounts, notation=notations)
@example(amount=Decimal("1234"), notation=(",", "."))
@example(amount=Decimal("1.234"), notation=("", ","))
def test_every_notation_is_read_back_where_its_decimal_mark_is_said(amount, notation):
    assert read_amount(write(amount, notation), decimal_mark=notation[1]) == amount


@given(amount=amounts, notation=notations)
@example(amount=Decimal("1234"), notation=(",", "."))
@example(amount=Decimal("1.234"), notation=("", "."))
@example(amount=Decimal("0.123"), notation=("", ","))
@example(amount=Decimal("1234.567"), notation=("", "."))
@example(amount=Decimal("1234567"), notation=(".", ","))
@example(amount=Decimal("1234.56"), notation=("\u00a0", ","))
def test_an_amount_is_refused_just_where_somebody_else_writes_another_one_so(amount, notation):
    text = write(amount, notation)
    others = [amount.scaleb(places) for places in (3, -3) if amount]
    if any(write(other, way) == text for other in others for way in NOTATIONS):
        with pytest.raises(InvalidValue, match="could be"):
            read_amount(text)
    else:
        assert read_amount(text) == amount


@given(text=st.text("0123456789.,' -+", max_size=12))
def test_whatever_is_read_has_the_digits_that_were_written(text):
    try:
        amount = read_amount(text)
    except InvalidValue:
        return
    read = [digit for digit in f"{amount:f}" if digit.isdigit()]
    assert "".join(read).lstrip("0") == "".join(filter(str.isdigit, text)).lstrip("0")
    assert (amount < 0) <= text.strip().startswith("-")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", "12"),
        ("-10.50", "-10.50"),
        ("\u221210.50", "-10.50"),
        ("+10.5", "10.5"),
        (".5", "0.5"),
        (",125", "0.125"),
        ("0,123", "0.123"),
        ("1234.567", "1234.567"),
        ("12,34,567", "1234567"),
        ("12,34,567.80", "1234567.80"),
        ("1 234", "1234"),
        (" 1,234.56\u00a0", "1234.56"),
        ("--", "0"),
        (" --", "0"),
        ("\u2014", "0"),
    ],
)
def test_what_ad_platforms_and_spreadsheets_write(text, amount):
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1,234", "1.234", "-12,345", "999.999", "+1.000", "012.345"])
def test_one_that_could_be_two_numbers_is_refused_with_both(text):
    with pytest.raises(InvalidValue, match=r"could be .* or .*: write .* or .*, or say"):
        read_amount(text)


def test_the_refusal_tells_how_each_of_the_two_is_written():
    with pytest.raises(InvalidValue) as refused:
        read_amount("1,234")
    assert "could be 1234 or 1.234: write 1234.00 or 1.2340" in refused.value.message
    assert read_amount("1234.00") == 1234
    assert read_amount("1.2340") == Decimal("1.234")


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("1.234,56", "."),
        ("1,234.56", ","),
        ("12.50", ","),
        ("12,50", "."),
        ("1,23", "."),
        ("1.23", ","),
    ],
)
def test_what_contradicts_the_mark_that_was_said_is_refused(text, mark):
    with pytest.raises(InvalidValue, match="is no amount"):
        read_amount(text, decimal_mark=mark)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "x",
        "1.2.3",
        "1,2,3",
        "12,34.5,6",
        "1,234,56",
        "1,2345,678",
        "1 23",
        "1 234'567",
        "1.234,567.8",
        "--5",
        "(5)",
        "5-",
        "5.",
        "1_000",
        "1e5",
        "1E+05",
        "NaN",
        "Infinity",
        "\u0661\u0662",
        "1" * 41,
        "0." + "1" * 5000,
    ],
)
def test_what_is_no_amount_is_refused_in_a_short_sentence(text):
    with pytest.raises(InvalidValue, match="is no amount") as refused:
        read_amount(text)
    assert len(refused.value.message) < 150


@pytest.mark.parametrize("text", ["$12.00", "12,00 \u20ac", "EUR 12", "12 USD", "1.5k"])
def test_a_currency_beside_the_number_is_named_as_what_is_wrong(text):
    with pytest.raises(InvalidValue, match="without currency or unit"):
        read_amount(text)
