"""Who may do what: one pure table, asked by the API, the portal and the admin."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"


class Right(StrEnum):
    VIEW = "view"
    EDIT_BRANDS = "edit_brands"
    EDIT_BUDGETS = "edit_budgets"
    EDIT_CAMPAIGNS = "edit_campaigns"
    EDIT_SCHEDULES = "edit_schedules"
    RECORD_SPEND = "record_spend"
    CORRECT_SPEND = "correct_spend"
    MANAGE_PEOPLE = "manage_people"


_MANAGER = frozenset(Right) - {Right.MANAGE_PEOPLE}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: _MANAGER,
    Role.VIEWER: frozenset({Right.VIEW}),
}


def allows(role: str, right: Right) -> bool:
    """Return whether `role` includes `right`; an unknown role includes nothing."""
    return role in RIGHTS and right in RIGHTS[Role(role)]
