"""Brands: the agency's clients, and what each may spend."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.roles import Right
from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import NO_FIGURES, figures_on
from campaigns.queries import brand_days
from campaigns.services import brands as services

from .. import shown
from ..bodies import Query, Shown
from ..fields import Id, Instant, Text, Word, YesNo
from .money import MoneyBody, MoneyResource


class BrandBody(MoneyBody):
    id = Id(read_only=True)
    name = Text(max_length=100)
    currency = Text(max_length=3, required=False, help_text="ISO 4217. Default USD.")
    time_zone = Text(max_length=64, required=False, help_text="IANA name. Default UTC.")
    time_zone_now = Text(read_only=True, help_text="The zone in effect at this moment.")
    time_zone_since = Instant(
        read_only=True, allow_null=True, help_text="When `time_zone` takes effect, if it has not."
    )
    archived_at = Instant(read_only=True, allow_null=True)
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)


class ArchivedBrand(BrandBody):
    detail = Text(read_only=True, help_text="Why it was archived, not deleted.")


class BrandQuery(Query):
    name = Word(help_text="The whole name, in any case of letters.")
    search = Word(help_text="A part of the name.")
    archived = YesNo(help_text="true: those that were archived too.")


class BrandView(MoneyResource[Brand]):
    """A client of the agency, whose money it is. Its days and months are those of its time zone.

    A new time zone takes effect at one of its own midnights. The currency is fixed once there is
    spend. A brand with spend is archived rather than deleted, with its campaigns; its name is then
    free again.
    """

    what = "brand"
    brand_path = "id"
    right_to_write = Right.EDIT_BRANDS
    serializer_class = BrandBody
    filters = BrandQuery
    answers = {"destroy": {200: ArchivedBrand, 204: None}}

    def rows(self) -> QuerySet[Brand]:
        # In the brand's own statement: a brand may be gone before a second one is asked.
        root = Budget.objects.filter(brand=OuterRef("id"), kind=BudgetKind.ROOT)
        return Brand.objects.annotate(root_id=Subquery(root.values("id"))).order_by("name", "id")

    def narrow(self, rows: QuerySet[Brand], asked: Mapping[str, Any]) -> QuerySet[Brand]:
        wanted = Q() if asked.get("archived") else Q(archived_at=None)
        if name := asked.get("name"):
            wanted &= Q(name__iexact=name)
        if part := asked.get("search"):
            wanted &= Q(name__icontains=part)
        return rows.filter(wanted)

    def show(self, rows: Sequence[Brand]) -> list[Shown]:
        roots: dict[UUID, UUID] = {brand.id: brand.root_id for brand in rows}  # type: ignore[attr-defined]
        figures = figures_on(
            brand_days(rows, now=self.now), now=self.now, budget_ids=list(roots.values())
        )
        return [
            {
                "id": brand.id,
                "name": brand.name,
                "currency": brand.currency,
                "time_zone": brand.time_zone,
                "time_zone_now": brand.calendar.zone_at(self.now),
                "time_zone_since": self._pending_since(brand),
                **shown.money(figures.get(roots[brand.id], NO_FIGURES), brand.currency),
                "archived_at": brand.archived_at,
                "created_at": brand.created_at,
                "updated_at": brand.updated_at,
            }
            for brand in rows
        ]

    def _pending_since(self, brand: Brand) -> Any:
        since = brand.time_zone_since
        return since if since is not None and self.now < since else None

    def add(self, values: dict[str, Any]) -> UUID:
        return services.create_brand(**values, now=self.now, by=self.by).id

    def change(self, row: Brand, changes: dict[str, Any]) -> None:
        services.update_brand(
            brand_id=row.id, changes=cast(services.BrandChanges, changes), now=self.now, by=self.by
        )

    def remove(self, row: Brand) -> str:
        kept = services.remove_brand(brand_id=row.id, now=self.now, by=self.by)
        if kept is None:
            return ""
        return f"{kept.name} has spend, so it was archived with its campaigns; its name is free."
