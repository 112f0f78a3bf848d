"""What happened: holds and changes of status, read-only: decisions write them."""

from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from campaigns.models import Hold, Reason, Status, StatusChange
from campaigns.queries import surroundings
from campaigns.sentences import hold_sentence
from kernel import clock

from ..choosing import brand_filter
from ..sites import agency_site
from ..words import NOTHING, chip, instant, label_of, utc
from .rights import AgencyAdmin

_KINDS = {Status.ACTIVE: "run", Status.PAUSED: "held", Status.INACTIVE: "off"}


class HistoryAdmin(AgencyAdmin):
    """Rows that nobody adds, changes or deletes; of many, so that they are counted once a page."""

    can_add = False
    can_change = False
    actions = None
    show_full_result_count = False
    viewed_fields: list[str]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.viewed_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.viewed_fields


class OpenFilter(SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("released", "Released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        if self.value() is None:
            return queryset
        return queryset.filter(released_at__isnull=self.value() == "open")


@register(Hold, site=agency_site)
class HoldAdmin(HistoryAdmin):
    brand_path = "campaign__brand"
    search_fields = ["campaign__name", "=campaign__external_id"]
    search_help_text = "Campaign, or the platform's own id"
    list_display = ["campaign_name", "reason", "sentence", "placed", "released"]
    list_filter = [OpenFilter, "reason", brand_filter("campaign__brand")]
    viewed_fields = [
        "campaign",
        "sentence",
        "reason",
        "budget_name",
        "placed",
        "ends",
        "released",
        "note",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return super().get_queryset(request).select_related("campaign__brand", "budget")

    def title_of(self, row: Hold) -> str:
        return f"{label_of(row.campaign)}: {row.get_reason_display().lower()}"

    @display(description="campaign", ordering="campaign__name")
    def campaign_name(self, hold: Hold) -> str:
        return label_of(hold.campaign)

    @display(description="in words")
    def sentence(self, hold: Hold) -> str:
        return hold_sentence(hold, surroundings(hold, hold.campaign), now=clock.read())

    @display(description="budget")
    def budget_name(self, hold: Hold) -> str:
        return surroundings(hold, hold.campaign).budget_name or NOTHING

    @display(description="placed", ordering="placed_at")
    def placed(self, hold: Hold) -> str:
        return f"{_at(hold, hold.placed_at)}, {hold.placed_by_label}"

    @display(description="expected to end", ordering="until")
    def ends(self, hold: Hold) -> str:
        return _at(hold, hold.until)

    @display(description="released", ordering="released_at")
    def released(self, hold: Hold) -> SafeString | str:
        if hold.released_at is None:
            return chip("Open", "held")
        return f"{_at(hold, hold.released_at)}, {hold.released_by_label}"


def _at(hold: Hold, at: datetime | None) -> str:
    return instant(at, hold.campaign.brand.calendar)


class BecameFilter(SimpleListFilter):
    title = "new status"
    parameter_name = "became"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in Status]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[StatusChange]
    ) -> QuerySet[StatusChange]:
        return queryset.filter(to_status=self.value()) if self.value() else queryset


@register(StatusChange, site=agency_site)
class StatusChangeAdmin(HistoryAdmin):
    """Changes outlive their campaigns: of a deleted one they tell the names that it had."""

    brand_path = "brand_id"
    search_fields = ["campaign_name", "=external_id"]
    search_help_text = "Campaign, or the platform's own id"
    ordering = ["-id"]
    list_display = ["when", "called", "was", "became", "why", "by"]
    list_display_links = ["when"]
    list_filter = [BecameFilter, brand_filter("campaign__brand")]
    viewed_fields = [
        "when", "called", "platform", "external_id", "was", "became", "why", "by", "version",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatusChange]:
        return super().get_queryset(request).select_related("campaign__brand")

    def title_of(self, row: StatusChange) -> str:
        return f"{self.called(row)}: {row}"

    @display(description="at", ordering="id")
    def when(self, change: StatusChange) -> str:
        campaign = change.campaign
        return instant(change.at, campaign.brand.calendar) if campaign else utc(change.at)

    @display(description="campaign", ordering="campaign_name")
    def called(self, change: StatusChange) -> str:
        campaign = change.campaign
        return label_of(campaign) if campaign else f"{change.campaign_name} (deleted)"

    @display(description="from")
    def was(self, change: StatusChange) -> SafeString:
        return _status(change.from_status) if change.from_status else chip("New", "wait")

    @display(description="to", ordering="to_status")
    def became(self, change: StatusChange) -> SafeString:
        return _status(change.to_status)

    @display(description="reasons")
    def why(self, change: StatusChange) -> str:
        return ", ".join(Reason(reason).label for reason in change.reasons) or NOTHING

    @display(description="by", ordering="by_label")
    def by(self, change: StatusChange) -> str:
        return change.by_label


def _status(status: str) -> SafeString:
    return chip(Status(status).label, _KINDS[Status(status)])
