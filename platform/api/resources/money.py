"""What the bodies of brands, campaigns and budgets have in common: what may be spent, and was."""

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework.exceptions import ValidationError

from accounts.roles import Right

from ..bodies import Body
from ..fields import Amount, Day
from .resource import EditableResource

M = TypeVar("M", bound=Model)

_LIMITS = ("daily_budget", "monthly_budget")
_COLUMNS = (
    *_LIMITS,
    "daily_adjustment",
    "monthly_adjustment",
    "daily_spend",
    "monthly_spend",
)


class MoneyBody(Body):
    """A body with a daily and a monthly budget, which may also be set from a coming day on."""

    daily_budget = Amount(required=False, allow_null=True, help_text="Null is no limit.")
    monthly_budget = Amount(required=False, allow_null=True, help_text="Null is no limit.")
    daily_adjustment = Amount(
        read_only=True, help_text="Added to the daily budget for today, by adjustments in force."
    )
    monthly_adjustment = Amount(read_only=True, help_text="The same, for this month.")
    daily_spend = Amount(read_only=True, help_text="Spent on the brand's local day.")
    monthly_spend = Amount(read_only=True, help_text="Spent in the brand's local month.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # Who it is comes first. (`from` is a word of Python's, so it can't be declared above.)
        own = {name: field for name, field in fields.items() if name not in _COLUMNS}
        begins = Day(
            required=False,
            write_only=True,
            source="from_day",
            help_text="With PATCH and PUT: the brand's local day from which the budgets apply."
            " Default today.",
        )
        return {**own, **{name: fields[name] for name in _COLUMNS}, "from": begins}

    def validate_from(self, day: date) -> date:
        """Refuse it where there is nothing yet that could apply until then."""
        if self.instance is None:
            raise ValidationError("What is new begins today: change it from a later day on.")
        return day


class MoneyResource(EditableResource[M]):
    """Rows with limits of their own, which are for those who may edit budgets.

    Others may leave them out, or send them back as they are shown.
    """

    def read_body(self, row: M | None = None) -> dict[str, Any]:
        values = super().read_body(row)
        is_allowed = self.caller.may(Right.EDIT_BUDGETS)
        if is_allowed and row is not None:
            return values
        shown = self.written([row])[0] if row is not None else {}
        for name in _LIMITS:
            if name in values and values[name] != _amount(shown.get(name)):
                self.check_right(Right.EDIT_BUDGETS, field=name)
            if not is_allowed:
                values.pop(name, None)
        if "from_day" in values:
            self.check_right(Right.EDIT_BUDGETS, field="from")
        return values


def _amount(shown: str | None) -> Decimal | None:
    return None if shown is None else Decimal(shown)
