"""Agencies and their hosts, in the platform's own schema (`public`)."""

import secrets
from datetime import datetime
from typing import NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django_tenants.models import DomainMixin, TenantMixin


def new_schema_name() -> str:
    """Return a schema name: generated, never from a user's text, never used again."""
    return f"agency_{secrets.token_hex(8)}"


class Agency(TenantMixin):
    """A tenant: everything that it owns lies in its own schema."""

    auto_create_schema = False
    auto_drop_schema = False

    schema_name = models.CharField(
        max_length=63, unique=True, default=new_schema_name, editable=False
    )
    name = models.CharField(max_length=100)
    slug = models.CharField(
        max_length=63,
        unique=True,
        help_text="Its address: SLUG in front of the platform's domain.",
    )
    is_active = models.BooleanField(
        default=True,
        help_text="An inactive agency's host answers 404, and nothing sweeps it.",
    )
    # What its owners decide about who comes in.
    requires_second_factor = models.BooleanField(
        "requires a second factor",
        default=False,
        help_text="Owners and finance set one up before anything else.",
    )
    allows_support = models.BooleanField(
        "allows support access",
        default=True,
        help_text="Paceline's staff may enter for a while, with a reason that owners see.",
    )
    is_ready = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # By which it was ordered, where whoever ordered it may come twice: it is made once.
    order_key = models.UUIDField(null=True, unique=True, editable=False)

    # A hint, in the sense of a doorbell: the earliest instant at which time alone could change a
    # decision in this agency. Lowered after the commit of an edit, raised only by a sweep during
    # which no edit lowered it (`check_generation` tells).
    next_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_generation = models.BigIntegerField(default=0, editable=False)
    # The backstop: every agency is swept whole from time to time, whatever the hint says.
    full_sweep_at = models.DateTimeField(null=True, blank=True, editable=False)
    # A tick claims an agency until then, so that two ticks at once do the work once.
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "agencies"
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(Lower("slug"), name="agency_slug_once"),
        ]
        # The tick finds the few that are due among all that there are.
        indexes = [
            models.Index(fields=["next_check_at"], name="agency_next_check"),
            models.Index(fields=["full_sweep_at"], name="agency_full_sweep"),
        ]

    def __str__(self) -> str:
        return self.name

    def __enter__(self) -> NoReturn:
        raise TypeError(
            "`with agency:` shares its state between threads and leaves the wrong agency behind:"
            " use tenant_context(agency)."
        )

    @property
    def host(self) -> str:
        """The host below the platform's domain; a Domain may name further hosts of its own."""
        return f"{self.slug}.{settings.PACELINE_BASE_DOMAIN}"

    @property
    def url(self) -> str:
        """The address that links to the agency are built from, without a trailing slash."""
        return f"{settings.PACELINE_SCHEME}://{self.host}{settings.PACELINE_PORT_SUFFIX}"


class Domain(DomainMixin):
    """A host of an agency: a bare label is below the platform's domain, else a host of its own."""

    domain = models.CharField(
        max_length=253,
        unique=True,
        help_text="A label (acme) below the platform's domain, or a whole host (ads.acme.com).",
    )

    @property
    def host(self) -> str:
        """The whole host name."""
        if "." in self.domain:
            return self.domain
        return f"{self.domain}.{settings.PACELINE_BASE_DOMAIN}"


class AgencyRun(models.Model):
    """How the sweep of an agency went last, and whether it is left alone for a while."""

    agency = models.OneToOneField(
        Agency, primary_key=True, on_delete=models.CASCADE, related_name="run"
    )
    # When a tick took it last, and when a sweep of it came to its end.
    last_tick_at = models.DateTimeField(null=True)
    last_sweep_at = models.DateTimeField(null=True)
    # Of the last sweep, whether it came to its end or not.
    seconds = models.FloatField(default=0)
    checked = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    # In a row; enough of them, and ticks pass it by until `retry_at`.
    failures = models.PositiveIntegerField(default=0)
    quarantined_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.agency_id}: {self.error or 'ok'}"


class Heartbeat(models.Model):
    """When something that must beat did so last: the scheduler's tick."""

    name = models.CharField(max_length=32, primary_key=True)
    beat_at = models.DateTimeField()

    def is_fresh(self, *, now: datetime, seconds_max: int = 180) -> bool:
        """Return whether the last beat is younger than `seconds_max`."""
        return (now - self.beat_at).total_seconds() <= seconds_max

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at:%Y-%m-%d %H:%M:%S} UTC"


class UsedOrder(models.Model):
    """That an order's key has made an agency: it makes no other, also when that one is deleted.

    Kept only until whatever carries the key has expired.
    """

    key = models.UUIDField(primary_key=True)
    used_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key} at {self.used_at:%Y-%m-%d %H:%M:%S} UTC"


class Opening(models.Model):
    """An agency that was ordered; the row goes when its tables are made and its owner was told."""

    agency = models.OneToOneField(
        Agency, primary_key=True, on_delete=models.CASCADE, related_name="opening"
    )
    owner_email = models.EmailField()
    # When a worker took it up. One that was killed meanwhile is followed by another in time.
    begun_at = models.DateTimeField(null=True)
    # Why it failed. Nobody takes it up again until somebody asks for it.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.agency_id} for {self.owner_email}"


class Suspension(models.Model):
    """That an agency is not served: why, and who said so. One that has ended is its history."""

    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="suspensions")
    reason = models.CharField(max_length=500)
    begun_at = models.DateTimeField()
    begun_by_kind = models.CharField(max_length=8)
    begun_by_id = models.CharField(max_length=36, blank=True)
    begun_by_label = models.CharField(max_length=254)
    ended_at = models.DateTimeField(null=True)
    ended_by_kind = models.CharField(max_length=8, blank=True)
    ended_by_id = models.CharField(max_length=36, blank=True)
    ended_by_label = models.CharField(max_length=254, blank=True)

    class Meta:
        ordering = ["-begun_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agency"], condition=Q(ended_at=None), name="agency_suspended_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id}: {self.reason}"


class Removal(models.Model):
    """An agency that is to be deleted; the row goes when nothing of the agency is left.

    It outlives the agency's own row for a moment: what the agency left outside of the database is
    cleared by the name of its schema.
    """

    agency = models.OneToOneField(
        Agency, null=True, on_delete=models.SET_NULL, related_name="removal"
    )
    slug = models.CharField(max_length=63)
    schema_name = models.CharField(max_length=63, unique=True)
    # Where its data is written first, in one file.
    export_path = models.TextField()
    asked_at = models.DateTimeField()
    asked_by_kind = models.CharField(max_length=8)
    asked_by_id = models.CharField(max_length=36, blank=True)
    asked_by_label = models.CharField(max_length=254)
    # When somebody took it up. One who was killed meanwhile is followed by another in time.
    begun_at = models.DateTimeField(null=True)
    # Why it failed. Nobody takes it up again until somebody asks for it.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.slug}: {self.error or 'to be deleted'}"


class SchemaScript(models.Model):
    """What migrations send to an empty schema, word for word, by the digest of the migrations."""

    key = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key[:12]} of {self.recorded_at:%Y-%m-%d %H:%M:%S} UTC"
