"""Lines of the ledger that a person records."""

import uuid
from typing import Any

from django import forms

from budgets.models import SpendType

from .shared import AmountField, DayField, PortalForm

SOURCE = "portal"


class SpendForm(PortalForm):
    """One spend. `key` names this very form, so that sending it twice counts once."""

    amount = AmountField()
    spend_date = DayField(label="Day", help_text="The brand's local day.")
    spend_type = forms.ChoiceField(
        label="Counts in",
        choices=[
            (SpendType.DAILY, "its day and its month"),
            (SpendType.MONTHLY, "its month only (a fee)"),
        ],
    )
    description = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    @staticmethod
    def new_key() -> uuid.UUID:
        return uuid.uuid4()

    @property
    def external_id(self) -> str:
        return f"form:{self.cleaned_data['key']}"


class CorrectionForm(SpendForm):
    """A correction, up or down, within what a source has said."""

    source = forms.ChoiceField(
        help_text="Who reported what is wrong. A correction counts within that source."
    )
    field_order = ["amount", "spend_date", "spend_type", "source", "description", "key"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"].help_text = "Added to what is there: -12.50 takes 12.50 back."
        self.fields["description"].required = True
        self.fields["description"].help_text = "Why: it stands in the ledger for good."

    def offer_sources(self, sources: list[str]) -> None:
        field = self.fields["source"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(source, source) for source in sources]
