"""The spend view that most projects write, as the baseline of `throughput`.

It gets the campaign, saves the spend, adds to two counters on the campaign, compares them with its
budgets and pauses it. It takes no lock, so two at once lose an addition; the same spend sent twice
counts twice; the counters want a reset at midnight; and nothing tells why a campaign was paused.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django.db import models
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.roles import Right

from .world import Spender, execute_as_owner

TABLES = """
    CREATE TABLE plain_campaign (
        id uuid PRIMARY KEY,
        name varchar(200) NOT NULL,
        daily_budget numeric(18, 6) NOT NULL,
        monthly_budget numeric(18, 6) NOT NULL,
        spent_today numeric(18, 6) NOT NULL DEFAULT 0,
        spent_month numeric(18, 6) NOT NULL DEFAULT 0,
        status varchar(8) NOT NULL DEFAULT 'ACTIVE'
    );
    CREATE TABLE plain_spend (
        id bigserial PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES plain_campaign,
        amount numeric(18, 6) NOT NULL,
        spend_date date NOT NULL,
        description varchar(500) NOT NULL,
        created_at timestamptz NOT NULL
    );
    CREATE INDEX ON plain_spend (campaign_id);
"""


class PlainCampaign(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    daily_budget = models.DecimalField(max_digits=18, decimal_places=6)
    monthly_budget = models.DecimalField(max_digits=18, decimal_places=6)
    spent_today = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    spent_month = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    status = models.CharField(max_length=8, default="ACTIVE")
    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = "plain_campaign"


class PlainSpend(models.Model):
    campaign = models.ForeignKey(PlainCampaign, on_delete=models.CASCADE)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    spend_date = models.DateField()
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = "plain_spend"


class PlainSpendSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    amount = serializers.DecimalField(max_digits=18, decimal_places=6)
    spend_date = serializers.DateField()
    description = serializers.CharField(max_length=500, required=False)


class PlainSpendView(APIView):
    right_to_write = Right.RECORD_SPEND

    def post(self, request: Request) -> Response:
        body = PlainSpendSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = cast(dict[str, Any], body.validated_data)
        campaign = get_object_or_404(PlainCampaign, id=values.pop("campaign"))
        spend = PlainSpend.objects.create(campaign=campaign, **values)
        campaign.spent_today += spend.amount
        campaign.spent_month += spend.amount
        if (
            campaign.spent_today >= campaign.daily_budget
            or campaign.spent_month >= campaign.monthly_budget
        ):
            campaign.status = "PAUSED"
        campaign.save()
        return Response({"id": spend.pk, "campaign_status": campaign.status}, status=201)


def make_tables(some: Iterable[Spender]) -> None:
    """Make the baseline's tables in the current agency's schema, with the same campaigns."""
    execute_as_owner(TABLES)
    PlainCampaign.objects.bulk_create(
        PlainCampaign(
            id=spender.campaign_id,
            name="Plain",
            daily_budget=spender.limit,
            monthly_budget=spender.limit * 26,
        )
        for spender in some
    )
