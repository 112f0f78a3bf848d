"""The ledger: spends are recorded and reversed here, never changed or deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import action, display, helpers, register
from django.contrib.admin.models import CHANGE
from django.contrib.admin.widgets import AdminDateWidget
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from accounts.access import Access
from accounts.roles import Right
from budgets.models import EntryKind, SpendEntry, SpendType
from campaigns.models import Campaign, Hold
from campaigns.services import spend as services
from kernel import clock
from kernel.errors import DomainError, NotAllowed

from ..access import access_of
from ..bars import bar, bars
from ..choosing import ChoiceByTyping, brand_filter
from ..figures import gather_spends, shown
from ..refusals import RefusableForm, busy_is_a_refusal
from ..sites import agency_site
from ..words import NOTHING, chip, instant, label_of
from .money import amount_field, amount_text
from .rights import FiguredAdmin, actor_of, become, may

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Campaign]
else:
    _ModelChoiceField = forms.ModelChoiceField

SOURCE = "admin"
_KINDS = {
    EntryKind.SPEND: "run",
    EntryKind.RESTATEMENT: "run",
    EntryKind.CORRECTION: "wait",
    EntryKind.REVERSAL: "off",
}


class CampaignChoice(_ModelChoiceField):
    """A campaign, chosen by typing a part of its name or its brand's."""

    def __init__(self) -> None:
        # Any foreign key to a campaign tells the widget what to ask the site for.
        asked_as = Hold._meta.get_field("campaign")
        super().__init__(
            queryset=Campaign.objects.select_related("brand"),
            widget=ChoiceByTyping(asked_as, agency_site),
        )

    def label_from_instance(self, obj: Any) -> str:
        return label_of(obj)


class SpendForm(RefusableForm):
    campaign = CampaignChoice()
    amount = amount_field("Amount", required=True, help_text="In the brand's currency.")
    spend_date = forms.DateField(
        label="Day",
        widget=AdminDateWidget,
        help_text="The brand's local day.",
    )
    spend_type = forms.ChoiceField(
        label="Type",
        choices=SpendType.choices,
        help_text="“Monthly only” (a fee) counts in the month, not in the day.",
    )
    correction = forms.BooleanField(
        required=False, help_text="Corrects what was recorded, up or down; say why below."
    )
    description = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    external_id = forms.CharField(
        label="Reference",
        required=False,
        max_length=255,
        help_text="An invoice's number, say: the same reference counts once.",
    )
    # The page's own key, so that a page sent twice counts once.
    page_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    # Of whom asks; the admin sets it.
    access: Access

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "campaign" in self.fields:
            choice = cast(CampaignChoice, self.fields["campaign"])
            assert choice.queryset is not None, "it is the field's own"
            choice.queryset = self.access.narrow(choice.queryset, "brand")
        self.initial.setdefault("page_key", f"page:{uuid4()}")

    def spend(self) -> services.NewSpend:
        """Return what the page reports."""
        said = self.cleaned_data
        return services.NewSpend(
            campaign_id=said["campaign"].pk,
            amount=said["amount"],
            spend_date=said["spend_date"],
            spend_type=SpendType(said["spend_type"]),
            description=said["description"],
            external_id=said["external_id"] or said["page_key"],
            source=SOURCE,
            is_correction=said["correction"],
        )


@register(SpendEntry, site=agency_site)
class SpendAdmin(FiguredAdmin):
    form = SpendForm
    brand_path = "budget__brand"
    edit_right = Right.RECORD_SPEND
    can_change = False
    actions = ["reverse"]
    date_hierarchy = "day"
    show_full_result_count = False
    search_fields = ["budget__campaign__name", "description", "=key", "=source"]
    search_help_text = "Campaign, description, reference or source"
    list_display = ["day", "campaign", "money", "kind_told", "source", "budgets"]
    list_filter = ["kind", "spend_type", brand_filter("budget__brand")]
    viewed_fields = [
        "day", "campaign", "money", "spend_type", "kind_told", "description", "source", "key",
        "corrected", "recorded", "of_day", "of_month",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpendEntry]:
        return (
            super()
            .get_queryset(request)
            .select_related(
                "budget__campaign__brand", "budget__parent__parent", "reversal", "reverses"
            )
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"access": access_of(request)})

    def get_fieldsets(self, request: HttpRequest, obj: SpendEntry | None = None) -> Any:
        if obj is not None:
            return [(None, {"fields": self.viewed_fields})]
        spend = ["campaign", "amount", "spend_date", "spend_type", "external_id", "page_key"]
        return [
            (None, {"fields": spend}),
            ("Correction", {"fields": ["correction", "description"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: SpendEntry | None = None) -> list[str]:
        return self.viewed_fields if obj else []

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """What the action `reverse` asks."""
        return may(request, Right.CORRECT_SPEND)

    def title_of(self, row: SpendEntry) -> str:
        return f"{label_of(row.budget.campaign)}, {self.money(row)} on {row.day}"

    def gather(self, rows: Sequence[SpendEntry], *, now: datetime) -> None:
        gather_spends(rows, now=now)

    @display(description="campaign", ordering="budget__campaign__name")
    def campaign(self, entry: SpendEntry) -> str:
        return label_of(entry.budget.campaign)

    @display(description="amount", ordering="amount")
    def money(self, entry: SpendEntry) -> str:
        currency = entry.budget.campaign.brand.currency
        return amount_text(entry.amount, currency)

    @display(description="kind", ordering="kind")
    def kind_told(self, entry: SpendEntry) -> SafeString:
        if hasattr(entry, "reversal"):
            return chip("Reversed", "bad")
        return chip(EntryKind(entry.kind).label, _KINDS[EntryKind(entry.kind)])

    @display(description="reverses")
    def corrected(self, entry: SpendEntry) -> str:
        return entry.reverses.key if entry.reverses else NOTHING

    @display(description="recorded")
    def recorded(self, entry: SpendEntry) -> str:
        calendar = entry.budget.campaign.brand.calendar
        return f"{instant(entry.recorded_at, calendar)}, {entry.recorded_by_label}"

    @display(description="budgets on that day")
    def budgets(self, entry: SpendEntry) -> SafeString:
        return bars(shown(entry).today, shown(entry).month)

    @display(description="budget on that day")
    def of_day(self, entry: SpendEntry) -> SafeString:
        return bar(shown(entry).today)

    @display(description="month until that day")
    def of_month(self, entry: SpendEntry) -> SafeString:
        return bar(shown(entry).month)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        spend = form.spend()
        if spend.is_correction and not may(request, Right.CORRECT_SPEND):
            raise NotAllowed("Your role does not include corrections.", field="correction")
        recorded = services.record_spend(spend=spend, now=clock.read(), by=actor_of(request))
        become(obj, recorded.entries[0])
        if not recorded.is_new[0]:
            known = "This spend was in the ledger already; it counts once."
            self.message_user(request, known, messages.WARNING)
        for difference in recorded.outcome.moves:
            name = difference.campaign.name
            self.message_user(request, f"{name} is now {difference.status.lower()}.", messages.INFO)

    @action(permissions=["correct"], description="Reverse")
    def reverse(self, request: HttpRequest, queryset: QuerySet[SpendEntry]) -> HttpResponse | None:
        """Ask first: a reversal stays in the ledger, as the spend does."""
        if request.POST.get("post"):
            self._reverse_each(request, queryset)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Reverse spends",
            "rows": [self.title_of(row) for row in queryset],
            "queryset": queryset,
            "opts": self.opts,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "backoffice/reverse_selected.html", context)

    def _reverse_each(self, request: HttpRequest, rows: QuerySet[SpendEntry]) -> None:
        new, known = 0, 0
        for row in rows:
            try:
                with busy_is_a_refusal():
                    _, is_new = services.reverse_spend(
                        entry_id=row.pk, now=clock.read(), by=actor_of(request)
                    )
            except DomainError as refusal:
                self.message_user(
                    request, f"{self.title_of(row)}: {refusal.message}", messages.ERROR
                )
                continue
            if is_new:
                self.log(request, [row], CHANGE, "Reversed.")
            new, known = new + is_new, known + (not is_new)
        if new:
            self.message_user(request, f"{new} reversed.", messages.SUCCESS)
        if known:
            self.message_user(request, f"{known} had been reversed before.", messages.WARNING)
