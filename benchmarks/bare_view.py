"""The baseline of `single_post`: the same middleware and authentication, and one INSERT.

Its addresses stand beside the product's own, and so does the plain view's.
"""

from decimal import Decimal
from typing import cast
from uuid import UUID

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.roles import Right
from budgets.models import SpendEntry
from kernel import clock
from kernel.ids import uuid7

from .plain_view import PlainSpendView


class BareInsert(APIView):
    """Store the body as one row: no lock, no total, no key to look at, no decision."""

    right_to_write = Right.RECORD_SPEND

    def post(self, request: Request) -> Response:
        body = cast(dict[str, str], request.data)
        entry = SpendEntry.objects.create(
            budget_id=UUID(body["budget"]),
            brand_id=UUID(body["brand"]),
            day=body["spend_date"],
            amount=Decimal(body["amount"]),
            source="bare",
            key=str(uuid7()),
            recorded_at=clock.read(),
            recorded_by_kind="key",
            recorded_by_label="bare",
        )
        return Response({"id": entry.id}, status=201)


urlpatterns = [
    path("api/bare/", BareInsert.as_view()),
    path("api/plain/", PlainSpendView.as_view()),
    path("", include("config.urls")),
]
