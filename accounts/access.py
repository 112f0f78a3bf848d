"""What a caller may do, and with which brands: one value, asked by every face."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from .roles import Right, allows

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Access:
    """A role, and the brands that it is limited to by their ids; None: all of the agency's.

    A brand outside of it is for this caller as if it were not there.
    """

    role: str
    brand_ids: frozenset[UUID] | None = None

    @classmethod
    def of(cls, role: str, brand_ids: Collection[UUID] | None) -> "Access":
        return cls(role, None if brand_ids is None else frozenset(brand_ids))

    @property
    def is_limited(self) -> bool:
        """Whether there may be brands that this caller does not see."""
        return self.brand_ids is not None

    def may(self, right: Right) -> bool:
        """Return whether the role includes `right`."""
        return allows(self.role, right)

    def sees(self, brand_id: UUID) -> bool:
        """Return whether a brand is one of this caller's."""
        return self.brand_ids is None or brand_id in self.brand_ids

    def within(self, path: str) -> Q:
        """Return the condition that the brand at the end of `path` is one of this caller's.

        Who sees all pays nothing for it.
        """
        return Q() if self.brand_ids is None else Q(**{f"{path}__in": self.brand_ids})

    def narrow(self, rows: QuerySet[M], path: str) -> QuerySet[M]:
        """Return those of the rows whose brand, at the end of `path`, is one of this caller's.

        `path` passes one row to at most one brand; for others ask with `within` in a subquery.
        """
        return rows if self.brand_ids is None else rows.filter(self.within(path))

    def exceeds(self, other: "Access") -> bool:
        """Return whether it allows, or shows, anything that `other` does not."""
        if any(self.may(right) and not other.may(right) for right in Right):
            return True
        if other.brand_ids is None:
            return False
        return self.brand_ids is None or not self.brand_ids <= other.brand_ids
