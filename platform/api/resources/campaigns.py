"""Campaigns: their dates, group and limits, what holds them, and what people command of them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.roles import Right
from budgets.models import Budget, BudgetKind, BudgetMode
from budgets.queries import NO_FIGURES, figures_on
from campaigns.models import Campaign, Hold, Reason, Status
from campaigns.queries import ToldHold, brand_days, holds_of, surroundings
from campaigns.sentences import hold_sentence
from campaigns.services import campaigns as services
from kernel.errors import Conflict, NotFound

from .. import shown
from ..bodies import Body, Query, Shown
from ..fields import Amount, Choice, Day, Id, Instant, OptionalText, Text, Whole, Word, YesNo
from .money import MoneyBody, MoneyResource
from .resource import Resource


class OpenHoldBody(Body):
    """One reason why a campaign may not run."""

    reason = Choice(Reason, read_only=True)
    budget = Id(read_only=True, allow_null=True, help_text="The budget that is spent, if one is.")
    since = Instant(read_only=True)
    until = Instant(
        read_only=True, allow_null=True, help_text="When it ends by time alone, if it does."
    )
    spent = Amount(read_only=True, allow_null=True)
    limit = Amount(read_only=True, allow_null=True, help_text="What binds: adjustments included.")
    adjustment = Amount(read_only=True, allow_null=True, help_text="What of it was adjusted.")
    stop_at = Whole(
        read_only=True, allow_null=True, help_text="The percentage of the limit that counts."
    )
    mode = Choice(BudgetMode, read_only=True, allow_null=True, help_text="Of the spent budget.")
    by = Text(read_only=True, help_text="Who placed it.")
    sentence = Text(read_only=True, help_text="The same for people.")


class HoldBody(OpenHoldBody):
    """One reason why a campaign may not run, or might not until it was released."""

    id = Id(read_only=True)
    note = Text(read_only=True)
    released_at = Instant(read_only=True, allow_null=True, help_text="Null while it is open.")
    released_by = Text(read_only=True)


class CampaignBody(MoneyBody):
    fixed = frozenset({"brand"})

    id = Id(read_only=True)
    brand = Id(help_text="Set once, by POST.")
    name = Text(max_length=200)
    status = Choice(
        Status,
        required=False,
        help_text="Default ACTIVE. A command: PAUSED places a hold by hand, ACTIVE lifts it (other"
        " holds stay), INACTIVE switches off. In PUT an unchanged status is no command.",
    )
    pause_reason = Choice(Reason, read_only=True, allow_null=True, help_text="The first hold's.")
    holds = OpenHoldBody(many=True, read_only=True)
    alerts = OpenHoldBody(
        many=True, read_only=True, help_text="What budgets that only alert would have held."
    )
    platform = OptionalText(max_length=50, help_text="Where it runs: google, meta …")
    external_id = OptionalText(max_length=100, help_text="The platform's own id.")
    start_date = Day(required=False, allow_null=True)
    end_date = Day(required=False, allow_null=True, help_text="The last day, inclusive.")
    group = Id(required=False, allow_null=True, help_text="A budget group; null is none.")
    shared_schedule = Id(
        required=False, allow_null=True, help_text="Used instead of its own; null is its own."
    )
    budget = Id(read_only=True, help_text="Its own budget.")
    archived_at = Instant(read_only=True, allow_null=True)
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)


class ArchivedCampaign(CampaignBody):
    detail = Text(read_only=True, help_text="Why it was archived, not deleted.")


class CampaignQuery(Query):
    brand = Id(required=False)
    group = Id(required=False)
    status = Choice(Status, required=False)
    platform = Word()
    external_id = Word()
    name = Word(help_text="The whole name, in any case of letters.")
    search = Word(help_text="A part of the name or of the external id.")
    archived = YesNo(help_text="true: those that were archived too.")


class CampaignView(MoneyResource[Campaign]):
    """An advertising campaign. It runs (`ACTIVE`) if it is switched on and nothing holds it.

    `holds` tells each reason why it is `PAUSED`, with the numbers. A campaign with spend is
    archived rather than deleted; its name is then free again.
    """

    what = "campaign"
    brand_path = "brand"
    right_to_write = Right.EDIT_CAMPAIGNS
    serializer_class = CampaignBody
    filters = CampaignQuery
    answers = {"destroy": {200: ArchivedCampaign, 204: None}}

    def rows(self) -> QuerySet[Campaign]:
        campaigns = Campaign.objects.select_related("brand", "budget__parent")
        return campaigns.order_by("name", "id")

    def narrow(self, rows: QuerySet[Campaign], asked: Mapping[str, Any]) -> QuerySet[Campaign]:
        wanted = Q() if asked.get("archived") else Q(archived_at=None)
        for column in ("brand", "status", "platform", "external_id"):
            if column in asked:
                wanted &= Q(**{column: asked[column]})
        if "group" in asked:
            wanted &= Q(budget__parent=asked["group"])
        if name := asked.get("name"):
            wanted &= Q(name__iexact=name)
        if part := asked.get("search"):
            wanted &= Q(name__icontains=part) | Q(external_id__icontains=part)
        return rows.filter(wanted)

    def show(self, rows: Sequence[Campaign]) -> list[Shown]:
        days = brand_days({campaign.brand for campaign in rows}, now=self.now)
        figures = figures_on(
            days, now=self.now, budget_ids=[campaign.budget_id for campaign in rows]
        )
        holds = holds_of(rows, now=self.now, with_alerts=True)
        return [
            {
                **_own(campaign),
                **_why(holds.get(campaign.id, []), campaign),
                **shown.money(figures.get(campaign.budget_id, NO_FIGURES), campaign.brand.currency),
            }
            for campaign in rows
        ]

    def add(self, values: dict[str, Any]) -> UUID:
        brand_id = values.pop("brand")
        return services.create_campaign(brand_id=brand_id, **values, now=self.now, by=self.by).id

    def change(self, row: Campaign, changes: dict[str, Any]) -> None:
        # PUT sends the status back as it was read; PATCH names it only to command.
        if self.action == "update" and "status" in changes:
            if changes["status"] == row.status:
                del changes["status"]
            elif self._was_read_before(row):
                raise Conflict(
                    f"It is {row.status} since it was read, so this may be meant or old:"
                    " read it again, or command it by PATCH.",
                    field="status",
                )
        services.update_campaign(
            campaign_id=row.id,
            changes=cast(services.CampaignChanges, changes),
            now=self.now,
            by=self.by,
        )

    def _was_read_before(self, row: Campaign) -> bool:
        """Whether the body tells of a state of the row that is not its last."""
        sent = self.request.data
        assert isinstance(sent, dict)
        return sent.get("updated_at", "") not in ("", self.written([row])[0]["updated_at"])

    def remove(self, row: Campaign) -> str:
        kept = services.remove_campaign(campaign_id=row.id, now=self.now, by=self.by)
        return f"{kept.name} has spend, so it was archived; its name is free." if kept else ""


def _own(campaign: Campaign) -> Shown:
    return {
        "id": campaign.id,
        "brand": campaign.brand_id,
        "name": campaign.name,
        "status": campaign.status,
        "platform": campaign.platform,
        "external_id": campaign.external_id,
        "start_date": campaign.start_date,
        "end_date": campaign.end_date,
        "group": _group(campaign.budget),
        "shared_schedule": campaign.shared_schedule_id,
        "budget": campaign.budget_id,
        "archived_at": campaign.archived_at,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
    }


def _group(leaf: Budget) -> UUID | None:
    assert leaf.parent is not None
    return leaf.parent.id if leaf.parent.kind == BudgetKind.GROUP else None


def _why(told: Sequence[ToldHold], campaign: Campaign) -> Shown:
    holds = [each for each in told if not each.hold.is_alert]
    alerts = [each for each in told if each.hold.is_alert]
    return {
        "pause_reason": holds[0].hold.reason if holds else None,
        "holds": [_hold(each.hold, each.sentence, campaign) for each in holds],
        "alerts": [_hold(each.hold, each.sentence, campaign) for each in alerts],
    }


def _hold(hold: Hold, sentence: str, campaign: Campaign) -> Shown:
    currency = campaign.brand.currency
    return {
        "reason": hold.reason,
        "budget": hold.budget_id,
        "since": hold.placed_at,
        "until": hold.until,
        "spent": shown.amount(hold.spent, currency),
        "limit": shown.amount(hold.limit, currency),
        "adjustment": shown.amount(hold.adjusted_by, currency) if hold.budget_id else None,
        "stop_at": hold.stop_at if hold.budget_id else None,
        "mode": hold.mode if hold.budget_id else None,
        "by": hold.placed_by_label,
        "sentence": sentence,
    }


class HoldQuery(Query):
    reason = Choice(Reason, required=False)
    alerts = YesNo(help_text="true: what budgets that only alert would have held, instead.")


class HoldView(Resource[Hold]):
    """Every hold that a campaign has or had, the newest first: its history."""

    what = "hold"
    brand_path = "campaign__brand"
    serializer_class = HoldBody
    filters = HoldQuery

    def rows(self) -> QuerySet[Hold]:
        campaign = self.kwargs["campaign_id"]
        own = self.access.narrow(Campaign.objects.all(), "brand")
        if not own.filter(id=campaign).exists():
            raise NotFound("There is no such campaign.")
        rows = Hold.alerts if self.asked.get("alerts") else Hold.objects
        holds = rows.filter(campaign=campaign)
        return holds.select_related("campaign__brand", "budget").order_by("-placed_at", "-id")

    def narrow(self, rows: QuerySet[Hold], asked: Mapping[str, Any]) -> QuerySet[Hold]:
        return rows.filter(reason=asked["reason"]) if "reason" in asked else rows

    def show(self, rows: Sequence[Hold]) -> list[Shown]:
        return [
            {
                "id": hold.id,
                **_hold(
                    hold,
                    hold_sentence(hold, surroundings(hold, hold.campaign), now=self.now),
                    hold.campaign,
                ),
                "note": hold.note,
                "released_at": hold.released_at,
                "released_by": hold.released_by_label,
            }
            for hold in rows
        ]
