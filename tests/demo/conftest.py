"""Mini Ads: a demo agency of one brand, small enough to be made in every test."""

from io import StringIO

import pytest
from django.core.management import call_command

from demo.cast import AgencyPlan, BrandPlan, CampaignPlan
from tenants.contexts import platform_context
from tenants.models import Agency

MINI = AgencyPlan(
    slug="mini",
    name="Mini Ads",
    people=("Oda", "Mia", "Vik"),
    brands=(
        BrandPlan(
            name="Tiny Shop",
            currency="EUR",
            time_zone="Europe/Riga",
            daily=100,
            sold_out_days=(3,),
            campaigns=(
                CampaignPlan(name="Search", platform="google", external_id="g-1", pace=60),
                CampaignPlan(name="Fast", platform="meta", external_id="pulse-1", pace=20),
                CampaignPlan(
                    name="Off", platform="meta", external_id="m-1", pace=10, is_paused=True
                ),
            ),
        ),
    ),
)


@pytest.fixture
def create_demo(world, settings, tmp_path, monkeypatch):
    """Return a function that runs `create_demo` (of Mini Ads alone) and returns what it prints."""
    settings.PACELINE_HOME = tmp_path

    def run(*plans: AgencyPlan, password: str = "first password") -> str:
        settings.PACELINE_DEMO_PASSWORD = password
        monkeypatch.setattr("demo.management.commands.create_demo.AGENCIES", plans or (MINI,))
        out = StringIO()
        with platform_context():
            call_command("create_demo", stdout=out)
        return out.getvalue()

    return run


def agency_of(plan: AgencyPlan) -> Agency:
    with platform_context():
        return Agency.objects.get(slug=plan.slug)
