"""What the trail tells of, and what it leaves out, and why. A model is in one of the two.

It is in one place, above all of them, because people look for a window or a limit by its campaign.
"""

from accounts.models import ApiKey, User
from budgets.models import Brand, Budget, BudgetAdjustment, LimitVersion
from dayparting.models import Schedule, ScheduleException, Window
from trail.tracking import About, Tracked, track

from .models import Campaign

_STAMPS = ("created_at", "updated_at")


# The SQL is put together from names that stand in this file.
def _campaign(what: str, column: str, value: str) -> str:
    return f"(SELECT c.{what} FROM campaigns_campaign c WHERE c.{column} = {value})"  # noqa: S608


def _of_budget(value: str) -> About:
    """A limit or an adjustment: it goes by the name of what its budget is the budget of."""
    node = f"FROM budgets_budget b JOIN budgets_brand r ON r.id = b.brand_id WHERE b.id = {value}"
    return About(
        name=f"coalesce({_campaign('name', 'budget_id', value)},"
        f" (SELECT CASE b.kind WHEN 'root' THEN r.name ELSE b.name END {node}))",
        brand=f"(SELECT b.brand_id {node})",
        campaign=_campaign("id", "budget_id", value),
    )


def _of_schedule(value: str) -> About:
    """A window or an exception: shared ones go by their schedule's name."""
    shared = f"(SELECT s.name FROM dayparting_schedule s WHERE s.id = {value})"  # noqa: S608
    return About(
        name=f"coalesce({_campaign('name', 'schedule_id', value)}, {shared})",
        brand=_campaign("brand_id", "schedule_id", value),
        campaign=_campaign("id", "schedule_id", value),
    )


_OF_ROOT = (
    "(SELECT r.name FROM budgets_brand r WHERE r.id = thing.brand_id AND thing.kind = 'root')"
)

TRACKED = [
    Tracked(
        Brand,
        "brand",
        About("thing.name", brand="thing.id"),
        # When it was last decided, and when it is next: the sweep's.
        derived=(*_STAMPS, "decided_at", "next_check_at"),
    ),
    Tracked(
        Budget,
        "budget",
        # Itself may be gone by now.
        About(
            f"coalesce(nullif(thing.name, ''), {_campaign('name', 'budget_id', 'thing.id')},"
            f" {_OF_ROOT})",
            brand="thing.brand_id",
            campaign=_campaign("id", "budget_id", "thing.id"),
        ),
        derived=_STAMPS,
    ),
    Tracked(
        LimitVersion,
        "limit",
        _of_budget("thing.budget_id"),
        # Who set it, and when, is what the entry says.
        derived=("set_at", "set_by_kind", "set_by_id", "set_by_label"),
    ),
    Tracked(BudgetAdjustment, "adjustment", _of_budget("thing.budget_id")),
    Tracked(
        Campaign,
        "campaign",
        About("thing.name", brand="thing.brand_id", campaign="thing.id"),
        # Follows from its holds; each change of it is a StatusChange.
        derived=(*_STAMPS, "status", "status_version"),
    ),
    Tracked(
        Schedule,
        "schedule",
        _of_schedule("thing.id")._replace(
            name=f"coalesce(nullif(thing.name, ''), {_campaign('name', 'schedule_id', 'thing.id')})"
        ),
    ),
    Tracked(Window, "window", _of_schedule("thing.schedule_id"), derived=_STAMPS),
    Tracked(ScheduleException, "exception", _of_schedule("thing.schedule_id"), derived=_STAMPS),
    Tracked(
        User,
        "user",
        About("coalesce(nullif(thing.name, ''), thing.email)"),
        derived=("last_login", "date_joined", "sessions_ended"),
        secret=("password",),
    ),
    Tracked(
        ApiKey,
        "key",
        About("thing.name"),
        derived=("created_at", "last_used_at"),
        secret=("secret_hash",),
    ),
]

# Of the apps whose models are tracked, by label.
UNTRACKED = {
    "accounts.Invitation": "names who let whom in itself; closed ones are kept",
    "accounts.SupportAccess": "tells who was in, why and until when itself; ended ones are kept",
    "budgets.BudgetChange": "tells who changed a limit itself, and is never changed",
    "budgets.SpendEntry": "the ledger: a line names who wrote it, and is never changed",
    "budgets.SpendTotal": "follows from the ledger",
    "budgets.SpendSource": "follows from who reports spend",
    "budgets.BrandSource": "follows from who reports spend",
    "budgets.SourceFigure": "what a source said last: the ledger has what became of it",
    "budgets.CompleteStatement": "what a source said: the ledger has what became of it",
    "campaigns.Hold": "names who placed and who released it itself; closed ones are kept",
    "campaigns.StatusChange": "is a trail itself, and is never changed",
}


def track_all() -> None:
    """Register the triggers of all that is tracked."""
    for tracked in TRACKED:
        track(tracked)
