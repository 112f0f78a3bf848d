"""The addresses of the API."""

from datetime import date

from django.urls import path, re_path, register_converter
from rest_framework.routers import SimpleRouter

from .resources.adjustments import AdjustmentView, BudgetChangeView, UpcomingLimitView
from .resources.batches import BatchView
from .resources.brands import BrandView
from .resources.budgets import BudgetView
from .resources.campaigns import CampaignView, HoldView
from .resources.changes import ChangeView
from .resources.docs import DocsView, SchemaView
from .resources.elsewhere import elsewhere
from .resources.reports import MonthlyReportView
from .resources.schedules import WindowView
from .resources.shared_schedules import ExceptionView, SharedScheduleView, TimelineView
from .resources.spends import SpendView
from .resources.trail import TrailView


class DayConverter:
    """A day in an address: 2026-12-01."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, word: str) -> date:
        return date.fromisoformat(word)

    def to_url(self, day: date) -> str:
        return day.isoformat()


register_converter(DayConverter, "day")

router = SimpleRouter(use_regex_path=False)
router.register("brands", BrandView, basename="api-brand")
router.register("budgets", BudgetView, basename="api-budget")
router.register("campaigns", CampaignView, basename="api-campaign")
router.register("spends", SpendView, basename="api-spend")
router.register("schedules", WindowView, basename="api-window")
router.register("shared-schedules", SharedScheduleView, basename="api-shared-schedule")
router.register("schedule-exceptions", ExceptionView, basename="api-exception")

urlpatterns = [
    path("spends/batch/", BatchView.as_view()),
    *router.urls,
    path(
        "budgets/<uuid:budget_id>/adjustments/",
        AdjustmentView.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "budgets/<uuid:budget_id>/adjustments/<uuid:id>/",
        AdjustmentView.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("budgets/<uuid:budget_id>/changes/", BudgetChangeView.as_view({"get": "list"})),
    path("budgets/<uuid:budget_id>/upcoming/<day:day>/", UpcomingLimitView.as_view()),
    path("campaigns/<uuid:campaign_id>/holds/", HoldView.as_view({"get": "list"})),
    path("campaigns/<uuid:campaign_id>/timeline/", TimelineView.as_view()),
    path("status-changes/", ChangeView.as_view({"get": "list"})),
    path("trail/", TrailView.as_view({"get": "list"})),
    path("reports/monthly/", MonthlyReportView.as_view()),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="schema"), name="api-docs"),
    # Whatever else, line breaks included.
    re_path(r"^(?P<path>[\s\S]*)\Z", elsewhere),
]
