"""The feed of status changes: what an ad platform is driven from."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from campaigns.models import Reason, Status, StatusChange

from ..bodies import Body, Query, Shown
from ..fields import Choice, Id, Instant, Text, Whole, Word
from ..pagination import Feed
from .resource import Resource


class ChangeBody(Body):
    id = Text(read_only=True, help_text="A cursor too: ask with it as `after`.")
    campaign = Id(read_only=True)
    name = Text(read_only=True, help_text="The campaign's.")
    platform = Text(read_only=True)
    external_id = Text(read_only=True)
    to = Choice(Status, read_only=True)
    reasons = serializers.ListField(
        child=Choice(Reason),
        read_only=True,
        help_text="Why it does not run, if it doesn't.",
    )
    version = Whole(read_only=True, help_text="Counts this campaign's changes, without gaps.")
    at = Instant(read_only=True)
    by = Text(read_only=True)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so it can't be declared above.
        before = Choice(
            Status, read_only=True, allow_null=True, help_text="Null: it was just made."
        )
        fields = super().get_fields()
        return {**fields, "from": before}


class ChangeQuery(Query):
    campaign = Id(required=False)
    brand = Id(required=False)
    platform = Word()


class ChangeView(Resource[StatusChange]):
    """The feed of status changes, oldest first, none skipped and none twice.

    Ask with `after` set to the `next` of the last answer, and keep `next` when what it brought is
    done. A change becomes visible in the order of its id.
    """

    what = "status change"
    brand_path = "brand_id"
    serializer_class = ChangeBody
    filters = ChangeQuery
    pagination_class = Feed

    def rows(self) -> QuerySet[StatusChange]:
        return StatusChange.objects.order_by("id")

    def narrow(
        self, rows: QuerySet[StatusChange], asked: Mapping[str, Any]
    ) -> QuerySet[StatusChange]:
        columns = {"brand": "brand_id", "campaign": "campaign_id"}
        return rows.filter(Q(**{columns.get(name, name): word for name, word in asked.items()}))

    def show(self, rows: Sequence[StatusChange]) -> list[Shown]:
        return [
            {
                "id": str(change.id),
                "campaign": change.campaign_id,
                "name": change.campaign_name,
                "platform": change.platform,
                "external_id": change.external_id,
                "from": change.from_status or None,
                "to": change.to_status,
                "reasons": change.reasons,
                "version": change.version,
                "at": change.at,
                "by": change.by_label,
            }
            for change in rows
        ]
