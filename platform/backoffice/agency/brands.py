"""Brands: the agency's clients."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind
from campaigns.services import brands as services
from kernel import clock
from kernel.actor import Actor
from kernel.local_time import zone_names
from kernel.money import CURRENCIES

from ..bars import bar
from ..choosing import ArchivedFilter, is_autocomplete
from ..figures import gather_brands, shown
from ..sites import agency_site
from ..words import chip, instant
from .money import LimitsForm, limit_text
from .removal import RemovingAdmin, budgets_with_spend
from .rights import FiguredAdmin, actor_of, become


class BrandForm(LimitsForm):
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCIES)],
        initial="USD",
        help_text="Fixed once there is spend.",
    )
    time_zone = forms.ChoiceField(
        choices=[(name, name) for name in sorted(zone_names())],
        initial="UTC",
        help_text="Days, months and hours are those of this zone. A new one applies from its next"
        " midnight on.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fill_limits(shown(self.instance).limits, self.instance.currency)


@register(Brand, site=agency_site)
class BrandAdmin(RemovingAdmin, FiguredAdmin):
    form = BrandForm
    brand_path = "id"
    edit_right = Right.EDIT_BRANDS
    search_fields = ["name"]
    search_help_text = "Name"
    list_display = ["name", "today", "this_month", "running", "zone"]
    list_filter = [ArchivedFilter, "currency", "time_zone"]
    fieldsets = [
        (None, {"fields": ["name", "currency", "time_zone"]}),
        ("Budget", {"fields": ["daily_budget", "monthly_budget"]}),
        ("Now", {"fields": ["today", "this_month", "running", "local_time"]}),
    ]
    readonly_fields = ["today", "this_month", "running", "local_time"]

    def get_fieldsets(self, request: HttpRequest, obj: Brand | None = None) -> Any:
        # A brand that is not there yet has spent nothing.
        return self.fieldsets if obj else self.fieldsets[:2]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Brand], search_term: str
    ) -> tuple[QuerySet[Brand], bool]:
        if is_autocomplete(request):
            queryset = queryset.filter(archived_at=None)
        return super().get_search_results(request, queryset, search_term)

    def has_change_permission(self, request: HttpRequest, obj: Brand | None = None) -> bool:
        is_kept = obj is not None and obj.archived_at is not None
        return super().has_change_permission(request, obj) and not is_kept

    def gather(self, rows: Sequence[Brand], *, now: datetime) -> None:
        gather_brands(rows, now=now)

    @display(description="today")
    def today(self, brand: Brand) -> SafeString:
        return bar(shown(brand).today)

    @display(description="this month")
    def this_month(self, brand: Brand) -> SafeString:
        return bar(shown(brand).month)

    @display(description="campaigns")
    def running(self, brand: Brand) -> SafeString | str:
        if brand.archived_at is not None:
            return chip("Archived", "off")
        counts = shown(brand).counts
        words = ", ".join(f"{number} {status.lower()}" for status, number in counts.items())
        url = reverse("admin:campaigns_campaign_changelist")
        return format_html('<a href="{}?brand={}">{}</a>', url, brand.pk, words or "none")

    @display(description="time zone", ordering="time_zone")
    def zone(self, brand: Brand) -> str:
        since = brand.time_zone_since
        if since is None or since <= clock.read():
            return brand.time_zone
        return f"{brand.time_zone_before}, from {instant(since, brand.calendar)}"

    @display(description="local time")
    def local_time(self, brand: Brand) -> str:
        return instant(clock.read(), brand.calendar)

    @display(description="daily budget")
    def daily_budget(self, brand: Brand) -> str:
        return limit_text(shown(brand).limits.daily, brand.currency)

    @display(description="monthly budget")
    def monthly_budget(self, brand: Brand) -> str:
        return limit_text(shown(brand).limits.monthly, brand.currency)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, by = clock.read(), actor_of(request)
        names = ("name", "currency", "time_zone", "daily_budget", "monthly_budget")
        if change:
            changes: Any = form.changes(*names)
            stored = services.update_brand(brand_id=obj.pk, changes=changes, now=now, by=by)
        else:
            values = {name: form.cleaned_data[name] for name in names}
            stored = services.create_brand(**values, now=now, by=by)
        become(obj, stored)

    def with_spend(self, rows: Iterable[Brand]) -> set[Any]:
        roots = Budget.objects.filter(brand__in=list(rows), kind=BudgetKind.ROOT)
        return set(budgets_with_spend(roots).values_list("brand_id", flat=True))

    def remove(self, row: Brand, *, now: datetime, by: Actor) -> Brand | None:
        return services.remove_brand(brand_id=row.pk, now=now, by=by)
