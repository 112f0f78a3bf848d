"""`manage.py check_campaign_statuses`: who is held, and why. It only reads."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from budgets.models import Budget
from campaigns.models import Campaign
from kernel import clock
from kernel.money import show
from tenants.contexts import tenant_context

from ... import sweep
from ...delivery import BudgetFacts, WantedHold
from ...judgement import Difference, judge
from ...models import Hold, Reason
from ...queries import holds_of, surroundings
from ...sentences import hold_sentence
from ..agency_pass import chosen_agencies, instant


class Command(BaseCommand):
    help = "Tell each live campaign's status, holds, and spend beside its limits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help="only this agency; default: all")
        parser.add_argument(
            "--at", type=instant, metavar="INSTANT", help="who would be held as of an instant"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["at"] or clock.read()
        for agency in chosen_agencies(options["agency"]):
            with tenant_context(agency):
                self.stdout.write(f"{agency.name} ({agency.slug}) as of {now:%Y-%m-%d %H:%M:%S %Z}")
                self._tell(now, is_stored=options["at"] is None)

    def _tell(self, now: datetime, *, is_stored: bool) -> None:
        """Tell what is stored; or, as of another instant, what would be decided."""
        brands = {brand.id: brand for brand in sweep.all_brands()}
        judgement = judge(list(brands.values()), sweep.exact_moments(brands.values(), now=now))
        ids = [difference.campaign.campaign_id for difference in judgement.differences]
        rows = Campaign.objects.filter(id__in=ids).select_related("brand", "budget")
        campaigns = {campaign.id: campaign for campaign in rows}
        budgets = {b.id: b for b in Budget.objects.filter(brand_id__in=brands)}
        standing = holds_of(list(campaigns.values()), now=now)
        lines = []
        for difference in judgement.differences:
            campaign = campaigns[difference.campaign.campaign_id]
            told = standing.get(campaign.id, [])
            if is_stored:
                status, sentences = campaign.status, [hold.sentence for hold in told]
            else:
                status = difference.status
                sentences = [
                    _wanted_sentence(wanted, campaign, budgets, now) for wanted in difference.holds
                ]
                sentences += [h.sentence for h in told if h.hold.reason == Reason.MANUAL]
            name = f"{campaign.brand.name} / {campaign.name}"
            spent = _spent_of_limit(difference, campaign.brand.currency)
            lines.append((name, status, spent, " ".join(sentences) or "-"))
        self._table(sorted(lines), header=("CAMPAIGN", "STATUS", "SPENT OF LIMIT", "HOLDS"))

    def _table(self, lines: list[tuple[str, ...]], *, header: tuple[str, ...]) -> None:
        widths = [max(len(line[i]) for line in [header, *lines]) for i in range(3)]
        for line in [header, *lines]:
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
            self.stdout.write("  ".join([*cells, line[3]]))
        held = sum(line[1] == "PAUSED" for line in lines)
        self.stdout.write(f"{len(lines)} campaigns, {held} held\n")


def _wanted_sentence(
    wanted: WantedHold, campaign: Campaign, budgets: dict[Any, Budget], now: datetime
) -> str:
    hold = Hold(
        campaign=campaign,
        reason=wanted.reason,
        budget=budgets[wanted.budget_id] if wanted.budget_id else None,
        placed_at=now,
        until=wanted.until,
        spent=wanted.spent,
        limit=wanted.limit,
        adjusted_by=wanted.adjusted_by,
        stop_at=wanted.stop_at,
        mode=wanted.mode,
    )
    return hold_sentence(hold, surroundings(hold, campaign), now=now)


def _spent_of_limit(difference: Difference, currency: str) -> str:
    """Tell the nearest daily and monthly limits among the campaign's, group's and brand's."""
    if difference.campaign.facts is None:
        return "-"
    budgets = difference.campaign.facts.budgets
    bounds = [(budget.spent, budget.terms.bounds) for budget in budgets]
    daily = [(spent.today, bound.daily) for spent, bound in bounds if bound.daily is not None]
    monthly = [(spent.month, bound.monthly) for spent, bound in bounds if bound.monthly is not None]
    told = [_tightest(daily, "today", currency), _tightest(monthly, "month", currency)]
    return ", ".join(text for text in told if text) or _unlimited(budgets[0], currency)


def _tightest(pairs: list[tuple[Any, Any]], period: str, currency: str) -> str:
    if not pairs:
        return ""
    spent, limit = min(pairs, key=lambda pair: pair[1] - pair[0])
    return f"{show(spent, currency)} of {show(limit, currency)} {currency} {period}"


def _unlimited(leaf: BudgetFacts, currency: str) -> str:
    return f"{show(leaf.spent.month, currency)} {currency} month, no limit"
