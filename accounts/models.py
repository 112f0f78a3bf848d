"""Users and API keys of one agency; in the platform's schema, its staff."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac
from rest_framework_api_key.crypto import KeyGenerator

from kernel.actor import Actor, ActorKind
from kernel.ids import uuid7

from .access import Access
from .roles import Right, Role, allows

# A client is limited to its own brands, whatever else goes wrong.
CLIENTS_HAVE_BRANDS = models.CheckConstraint(
    condition=~models.Q(role=Role.CLIENT_VIEWER) | models.Q(brand_ids__isnull=False),
    name="%(class)s_client_has_brands",
)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password, log-in waits until one is set by a link."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make one of the platform's staff (`manage.py createsuperuser`)."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser):
    """A person who logs in by e-mail on one agency's host, or on the platform's as its staff.

    `brand_ids` names the brands that this person may see; None means all. Plain ids, as brands are
    of a layer above: one that is gone gives nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(
        max_length=254,
        unique=True,
        error_messages={"unique": "Somebody with this e-mail address is here already."},
    )
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(
        max_length=16,
        choices=[(r.value, r.label) for r in Role],
        default=Role.VIEWER,
    )
    brand_ids = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    # Raised to end every session that this person has, wherever it is.
    sessions_ended = models.PositiveIntegerField(default=0, editable=False)
    is_superuser = models.BooleanField("platform staff", default=False, editable=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    # Set on the stand-in for somebody of the platform's staff (`accounts.support`): it has no row.
    support: "SupportAccess | None" = None

    class Meta:
        ordering = ["email"]
        constraints = [CLIENTS_HAVE_BRANDS]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.support is not None:
            raise TypeError("A support access is no account: it can't be stored as one.")
        # Stored in lower case, so that the plain unique index answers for every spelling.
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # A session carries this hash: with another password, or another number, it is over.
        told = f"{self.password}:{self.sessions_ended}"
        return salted_hmac("accounts.session", told, secret=secret, algorithm="sha256").hexdigest()

    @property
    def access(self) -> Access:
        return Access.of(self.role, self.brand_ids)

    def may(self, right: Right) -> bool:
        """Return whether this person's role includes `right`."""
        return self.is_active and self.access.may(right)

    @property
    def actor(self) -> Actor:
        kind = ActorKind.PERSON if self.support is None else ActorKind.SUPPORT
        return Actor(kind, str(self.id), str(self), self.access.brand_ids)

    # What Django's admin asks. Its two sites decide for themselves who enters; within the
    # platform's a superuser may do everything, within an agency's the role is asked.
    @property
    def is_staff(self) -> bool:
        return self.is_active and (self.is_superuser or allows(self.role, Right.VIEW))

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class Invitation(models.Model):
    """A seat that was offered by mail: for one address, with one role, until `expires_at`, once.

    The token of the mailed link is stored hashed. A closed invitation is kept: it tells who let
    whom in. `brand_ids` are the person's to be.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=16, choices=[(r.value, r.label) for r in Role])
    brand_ids = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by_kind = models.CharField(max_length=8)
    invited_by_id = models.CharField(max_length=36, blank=True)
    invited_by_label = models.CharField(max_length=120)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["email"]
        constraints = [
            CLIENTS_HAVE_BRANDS,
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="invitation_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.get_role_display()}"

    def is_expired(self, *, now: datetime) -> bool:
        """Return whether its days are over at `now`."""
        return self.expires_at <= now


class SupportAccess(models.Model):
    """Somebody of the platform's staff in this agency: who, why, until when, and what they may.

    Stored with the agency, whose owners see it. Staff is named by value: its row is the platform's.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    staff_id = models.UUIDField()
    staff_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=500)
    may_edit = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # When the hand-over link was used; it works once.
    entered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by_label = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-begun_at"]

    def __str__(self) -> str:
        return f"Paceline support: {self.staff_label}"

    def is_open(self, *, now: datetime) -> bool:
        """Return whether it is neither over nor ended at `now`."""
        return self.ended_at is None and now < self.ends_at


class ApiKey(models.Model):
    """A machine's credential: shown once, stored hashed, looked up by its public prefix.

    `brand_ids` limits it to brands, as a person's do. It ends with the person who made it; one that
    the operator made has no maker.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    role = models.CharField(
        max_length=16,
        choices=[(r.value, r.label) for r in Role],
        default=Role.VIEWER,
    )
    brand_ids = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=200, blank=True, editable=False)
    # Within a minute of the last request.
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    made_by_id = models.UUIDField(null=True, blank=True, editable=False, db_index=True)
    made_by_label = models.CharField(max_length=120, blank=True, editable=False)

    # What DRF asks of a request's user.
    is_authenticated = True
    is_active = True

    class Meta:
        verbose_name = "API key"
        ordering = ["name", "id"]
        constraints = [CLIENTS_HAVE_BRANDS]

    def __str__(self) -> str:
        return self.name

    @property
    def access(self) -> Access:
        return Access.of(self.role, self.brand_ids)

    def may(self, right: Right) -> bool:
        """Return whether this key's role includes `right`."""
        return self.access.may(right)

    def is_usable(self, *, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def state(self, *, now: datetime) -> str:
        """Return `usable`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "usable" if self.is_usable(now=now) else "expired"

    @property
    def actor(self) -> Actor:
        label = f"API key {self.name}"
        return Actor(ActorKind.KEY, str(self.id), label, self.access.brand_ids)


_generator = KeyGenerator()


def create_api_key(
    *,
    name: str,
    role: Role,
    brand_ids: Collection[UUID] | None = None,
    expires_at: datetime | None = None,
    maker: User | None = None,
) -> tuple[ApiKey, str]:
    """Store a key and return it with its secret, which is nowhere else and never shown again.

    What a key may be, `keys.make_key` says.
    """
    secret, prefix, secret_hash = _generator.generate()
    key = ApiKey.objects.create(
        name=name,
        role=role,
        brand_ids=None if brand_ids is None else sorted(set(brand_ids)),
        prefix=prefix,
        secret_hash=secret_hash,
        expires_at=expires_at,
        made_by_id=maker.id if maker else None,
        made_by_label=str(maker)[:120] if maker else "",
    )
    return key, secret


def find_api_key(secret: str, *, now: datetime) -> ApiKey | None:
    """Return the usable key whose secret this is, else None."""
    prefix, dot, _ = secret.partition(".")
    if not dot or len(secret) > 100 or "\0" in secret:
        return None
    key = ApiKey.objects.filter(prefix=prefix).first()
    if key is None or not _generator.verify(secret, key.secret_hash) or not key.is_usable(now=now):
        return None
    return key
