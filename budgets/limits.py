"""What a limit and an amount may be. Pure."""

from decimal import Decimal

from kernel.errors import InvalidValue
from kernel.money import AMOUNT_DECIMALS_MAX, AMOUNT_MAX, CURRENCIES, minor_units

from .models import STOP_AT_MAX, STOP_AT_MIN


def check_limit(limit: Decimal | None, *, currency: str, field: str) -> None:
    """Raise InvalidValue unless `limit` is None or an amount ≥ 0 in the currency's minor units."""
    if limit is None:
        return
    _check_finite(limit, field=field)
    if limit < 0:
        raise InvalidValue("A budget can't be negative.", field=field)
    _check_decimals(limit, minor_units(currency), f"An amount in {currency}", field=field)


def check_adjustment(amount: Decimal, *, currency: str) -> None:
    """Raise InvalidValue unless `amount` changes something, in the currency's minor units."""
    _check_finite(amount, field="amount")
    if amount == 0:
        raise InvalidValue("An adjustment of nothing changes nothing.", field="amount")
    _check_decimals(amount, minor_units(currency), f"An amount in {currency}", field="amount")


def check_stop_at(percent: int) -> None:
    """Raise InvalidValue unless `percent` of a limit is a point at which a budget may stop."""
    if not STOP_AT_MIN <= percent <= STOP_AT_MAX:
        raise InvalidValue(
            f"A budget stops at {STOP_AT_MIN} to {STOP_AT_MAX} percent of its limit.",
            field="stop_at",
        )


def check_amount(amount: Decimal, *, field: str = "amount") -> None:
    """Raise InvalidValue unless `amount` is a finite number with at most six decimals."""
    _check_finite(amount, field=field)
    _check_decimals(amount, AMOUNT_DECIMALS_MAX, "An amount", field=field)


def check_currency(currency: str) -> None:
    """Raise InvalidValue unless `currency` is an active ISO 4217 code."""
    if currency not in CURRENCIES:
        raise InvalidValue(
            f"{currency!r} is no currency of ISO 4217, such as USD, EUR or JPY.",
            field="currency",
        )


def _check_finite(amount: Decimal, *, field: str) -> None:
    if not amount.is_finite():
        raise InvalidValue("An amount must be a number.", field=field)
    # An exponent may be beyond what any arithmetic takes, so it is looked at first.
    if amount and (amount.adjusted() > AMOUNT_MAX.adjusted() or abs(amount) > AMOUNT_MAX):
        raise InvalidValue(f"An amount can't be larger than {AMOUNT_MAX:,}.", field=field)


def _check_decimals(amount: Decimal, decimals_max: int, what: str, *, field: str) -> None:
    if amount and (amount.adjusted() < -decimals_max or amount != round(amount, decimals_max)):
        some = f"at most {decimals_max} decimals" if decimals_max else "no decimals"
        raise InvalidValue(f"{what} has {some}.", field=field)
