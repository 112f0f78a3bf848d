"""What `/api/health/` answers; what it asks is the roof's affair (`config.health`)."""

from typing import Any

from rest_framework import serializers


class CheckBody(serializers.Serializer[Any]):
    """A part's state."""

    status = serializers.CharField(help_text="ok or error.")
    detail = serializers.CharField(allow_blank=True)


class BeatBody(CheckBody):
    """The scheduler's state."""

    last_tick = serializers.DateTimeField(required=False, help_text="When it ticked last.")


class CampaignCounts(serializers.Serializer[Any]):
    """How many campaigns run, and how many are held."""

    active = serializers.IntegerField()
    paused = serializers.IntegerField()


class ChecksBody(serializers.Serializer[Any]):
    """The parts."""

    database = CheckBody()
    campaigns = CampaignCounts(required=False, help_text="Where the database answers.")
    celery = CheckBody()
    redis = CheckBody()
    beat = BeatBody()
    sweep = CheckBody(help_text="Whether time's decisions of this agency are made.")


class HealthBody(serializers.Serializer[Any]):
    """The state of all parts at an instant."""

    timestamp = serializers.DateTimeField()
    status = serializers.CharField(help_text="ok if every part is, else degraded.")
    checks = ChecksBody()
