"""The pages of an agency."""

from django.urls import path

from .views import (
    brands,
    budgets,
    campaigns,
    dashboard,
    groups,
    keys,
    people,
    reports,
    schedules,
    spend,
)

app_name = "portal"

urlpatterns = [
    path("", dashboard.index, name="dashboard"),
    path("brands/", brands.index, name="brands"),
    path("brands/new/", brands.new, name="brand_new"),
    path("brands/<uuid:brand_id>/", brands.show, name="brand"),
    path("brands/<uuid:brand_id>/edit/", brands.edit, name="brand_edit"),
    path("brands/<uuid:brand_id>/remove/", brands.remove, name="brand_remove"),
    path("brands/<uuid:brand_id>/groups/new/", groups.new, name="group_new"),
    path("groups/<uuid:group_id>/", groups.show, name="group"),
    path("groups/<uuid:group_id>/edit/", groups.edit, name="group_edit"),
    path("groups/<uuid:group_id>/remove/", groups.remove, name="group_remove"),
    path("budgets/<uuid:budget_id>/limits/", budgets.limits, name="limits"),
    path("budgets/<uuid:budget_id>/adjust/", budgets.adjust, name="adjust"),
    path(
        "budgets/<uuid:budget_id>/adjustments/<uuid:adjustment_id>/withdraw/",
        budgets.withdraw,
        name="adjustment_withdraw",
    ),
    path("budgets/<uuid:budget_id>/take-back/", budgets.take_back, name="limits_take_back"),
    path("budgets/<uuid:budget_id>/resume/", budgets.resume, name="budget_resume"),
    path("budgets/<uuid:budget_id>/history/", budgets.history, name="budget_history"),
    path("brands/<uuid:brand_id>/campaigns/new/", campaigns.new, name="campaign_new"),
    path("campaigns/<uuid:campaign_id>/", campaigns.show, name="campaign"),
    path("campaigns/<uuid:campaign_id>/edit/", campaigns.edit, name="campaign_edit"),
    path("campaigns/<uuid:campaign_id>/command/", campaigns.command, name="campaign_command"),
    path("campaigns/<uuid:campaign_id>/history/", campaigns.history, name="campaign_history"),
    path("campaigns/<uuid:campaign_id>/remove/", campaigns.remove, name="campaign_remove"),
    path("campaigns/<uuid:campaign_id>/schedule/", schedules.show, name="schedule"),
    path("campaigns/<uuid:campaign_id>/schedule/add/", schedules.add, name="window_add"),
    path("campaigns/<uuid:campaign_id>/schedule/copy/", schedules.copy, name="schedule_copy"),
    path("windows/<uuid:window_id>/edit/", schedules.edit, name="window_edit"),
    path("windows/<uuid:window_id>/remove/", schedules.remove, name="window_remove"),
    path("spend/", spend.index, name="spend"),
    path("spend/new/", spend.choose, name="spend_choose"),
    path("campaigns/<uuid:campaign_id>/spend/", spend.record, name="spend_record"),
    path("campaigns/<uuid:campaign_id>/correct/", spend.correct, name="spend_correct"),
    path("spend/<uuid:entry_id>/reverse/", spend.reverse, name="spend_reverse"),
    path("reports/monthly/", reports.monthly, name="report"),
    path("people/", people.index, name="people"),
    path("people/new/", people.new, name="person_new"),
    path("people/<uuid:user_id>/", people.edit, name="person_edit"),
    path("people/<uuid:user_id>/link/", people.send_link, name="person_link"),
    path("people/keys/new/", keys.new, name="key_new"),
    path("people/keys/<uuid:key_id>/revoke/", keys.revoke, name="key_revoke"),
]
