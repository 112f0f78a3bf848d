"""People: what they may do, and with which brands."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.html import format_html

from accounts.models import User
from accounts.roles import LIMITABLE, Role
from budgets.models import Brand

from .shared import PortalForm

if TYPE_CHECKING:
    from collections.abc import Mapping

# From the one who reads to the one who lets people in.
_ROLES = tuple(reversed(Role))


def role_choices(roles: Iterable[Role] = _ROLES) -> list[tuple[str, str]]:
    """Return the roles to choose from, each with what it lets somebody do."""
    return [
        (role.value, format_html("<span><b>{}</b> {}</span>", role.label, role.explanation))
        for role in roles
    ]


class AccessForm(PortalForm):
    """What somebody may do, and with which brands, for people, invitations and keys alike."""

    role = forms.ChoiceField(
        choices=role_choices(), widget=forms.RadioSelect(attrs={"class": "roles"})
    )
    brands = forms.TypedMultipleChoiceField(
        required=False,
        coerce=UUID,
        label="Only these brands",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "brands"}),
        help_text="For buyers, who see all brands if none is ticked, and for client viewers, who"
        " need at least one.",
    )

    def offer_brands(self, brands: Iterable[Brand]) -> None:
        """Let a person choose among brands; where there are none, there is nothing to choose."""
        field = self.fields["brands"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [
            (str(brand.id), f"{brand.name} (archived)" if brand.archived_at else brand.name)
            for brand in brands
        ]
        if not field.choices:
            field.widget = forms.MultipleHiddenInput()

    @property
    def brand_ids(self) -> list[UUID] | None:
        """Return the brands that were ticked; None: all of them."""
        return self.cleaned_data["brands"] or None


class NewPersonForm(AccessForm):
    email = forms.EmailField(
        max_length=254, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    field_order = ["email", "name", "role", "brands"]


class PersonForm(AccessForm):
    name = forms.CharField(
        max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    # Nobody is let see everything by a box that was left empty.
    all_brands = forms.BooleanField(required=False, label="All brands: lift the limit")
    is_active = forms.BooleanField(
        required=False,
        label="May log in",
        help_text="Without it every session of theirs ends, and every API key that they made.",
    )
    field_order = ["name", "role", "brands", "all_brands", "is_active"]

    @classmethod
    def for_person(
        cls, person: User, brands: Collection[Brand], data: "Mapping[str, Any] | None"
    ) -> "PersonForm":
        """Make the form of a person; `brands` are those to choose from."""
        form = cls(
            data,
            initial={
                "name": person.name,
                "role": person.role,
                "brands": [str(brand_id) for brand_id in person.brand_ids or ()],
                "is_active": person.is_active,
            },
        )
        form.offer_brands(brands)
        if person.brand_ids is None:
            del form.fields["all_brands"]
        return form

    def clean(self) -> dict[str, Any]:
        """Refuse to lift a limit unasked, and to lift it and keep it at once."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if "all_brands" not in self.fields or "role" not in values:
            return values
        named, lifted = values.get("brands"), values["all_brands"]
        if named and lifted:
            self.add_error("all_brands", "All brands, or only those that are ticked?")
        elif not named and not lifted and values["role"] in LIMITABLE:
            self.add_error("brands", "Tick at least one brand, or lift the limit.")
        return values
