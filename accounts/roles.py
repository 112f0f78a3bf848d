"""Who may do what: one pure table, asked by the API, the portal and the admin."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    BUYER = "buyer"
    FINANCE = "finance"
    VIEWER = "viewer"
    CLIENT_VIEWER = "client_viewer"

    @property
    def label(self) -> str:
        """What people call it: "Client viewer"."""
        return self.value.replace("_", " ").capitalize()

    @property
    def explanation(self) -> str:
        """What it lets somebody do, in a sentence."""
        return _EXPLANATIONS[self]


class Right(StrEnum):
    VIEW = "view"
    EDIT_BRANDS = "edit_brands"
    EDIT_BUDGETS = "edit_budgets"
    EDIT_CAMPAIGNS = "edit_campaigns"
    EDIT_SCHEDULES = "edit_schedules"
    RECORD_SPEND = "record_spend"
    CORRECT_SPEND = "correct_spend"
    MANAGE_PEOPLE = "manage_people"
    READ_TRAIL = "read_the_trail"


_SPEND = frozenset({Right.VIEW, Right.RECORD_SPEND, Right.CORRECT_SPEND})
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: frozenset(Right) - {Right.MANAGE_PEOPLE},
    Role.BUYER: _SPEND | {Right.EDIT_CAMPAIGNS, Right.EDIT_SCHEDULES},
    Role.FINANCE: _SPEND | {Right.EDIT_BUDGETS},
    Role.VIEWER: frozenset({Right.VIEW}),
    Role.CLIENT_VIEWER: frozenset({Right.VIEW}),
}
_EXPLANATIONS = {
    Role.OWNER: "Everything, and lets people and keys in.",
    Role.MANAGER: "Edits brands, budgets, campaigns, hours and spend.",
    Role.BUYER: "Edits campaigns, hours and spend, but no limits.",
    Role.FINANCE: "Sets limits, records and corrects spend, but edits no campaigns.",
    Role.VIEWER: "Reads everything, and changes nothing.",
    Role.CLIENT_VIEWER: "Reads the brands that you name, and sees nothing of the others.",
}
# Who may be limited to brands by name. A client is always: without a name, it sees nothing.
LIMITABLE = frozenset({Role.BUYER, Role.CLIENT_VIEWER})


def allows(role: str, right: Right) -> bool:
    """Return whether `role` includes `right`; an unknown role includes nothing."""
    return role in RIGHTS and right in RIGHTS[Role(role)]
