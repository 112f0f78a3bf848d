"""What the views share: who asks, what the query says, one row and a page of rows, and writing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.access import Access
from accounts.roles import Right
from kernel import clock
from kernel.actor import Actor
from kernel.errors import NotAllowed, NotFound

from ..authentication import Caller
from ..bodies import Body, Query, Shown
from ..idempotency import Reach, answer_once, hold_body, read_claim
from ..limits import count_request
from ..negotiation import AnswerAnyway
from ..pagination import Backwards, Feed, NumberedPages
from ..permissions import refusal
from ..schema import ApiSchema

M = TypeVar("M", bound=Model)


@cache
def writer_of(kind: type[Serializer[Any]]) -> Serializer[Any]:
    """Return the one serializer of a kind that writes answers: it holds no request's state, and
    making one copies each of its fields."""
    return kind()


class ApiView(APIView):
    """A view whose query is checked, and whose refusals are JSON whatever format was asked for."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    content_negotiation_class = AnswerAnyway
    metadata_class = None
    schema = ApiSchema()
    right_to_read: ClassVar[Right] = Right.VIEW
    # None: nothing here writes.
    right_to_write: ClassVar[Right | None] = None
    filters: ClassVar[type[Query]] = Query
    # For the OpenAPI description: a line, and answers other than the usual ones (action → status).
    summary: ClassVar[str] = ""
    answers: ClassVar[Mapping[str, Mapping[int, type[Serializer[Any]] | None]]] = {}

    now: datetime
    asked: dict[str, Any]
    # Those that were needed beside `right_to_write`.
    rights_needed: set[Right]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "POST":
            hold_body(request)
        super().initial(request, *args, **kwargs)
        self.now = clock.read()
        self.rights_needed = set()
        self.asked = self.read_query()
        if request.method == "POST":
            self.keep_first_answer(request)

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if request.user is not None:
            count_request(self.caller)

    def keep_first_answer(self, request: Request) -> None:
        """Let a POST that carries an Idempotency-Key run once, and answer the same again.

        A view whose answer holds a secret overrides this with nothing: it must not be stored.
        """
        handler = getattr(self, "post", None)
        if handler is None or (claim := read_claim(request, by=self.by)) is None:
            return

        def post(*args: Any, **kwargs: Any) -> HttpResponse:
            def answer() -> HttpResponse:
                return self.rendered(handler(*args, **kwargs))

            reach = Reach(self.access, self.rights_needed)
            return answer_once(claim, answer, reach=reach, now=self.now)

        # Where `dispatch` looks for the handler, once all that comes before it is done.
        self.post = post

    def rendered(self, response: Response) -> HttpResponse:
        """Return the response with the body that is going to be sent."""
        self.finalize_response(self.request, response)
        return response.render()

    def read_query(self) -> dict[str, Any]:
        """Return the filters that the query asks for. Raises ValidationError."""
        return self.read_words(self.filters, frozenset())

    def read_words(self, filters: type[Query], words: frozenset[str]) -> dict[str, Any]:
        """Check the query against the filters and the words that no filter are, `format` aside."""
        if not self.request.query_params:
            return {}
        formats = [str(renderer.format) for renderer in self.get_renderers()]
        if self.request.query_params.get("format", "") not in ("", *formats):
            raise ValidationError({"format": [f"One of these is wanted: {', '.join(formats)}."]})
        query = filters(data=self.request.query_params, context={"words": words | {"format"}})
        query.is_valid(raise_exception=True)
        return cast(dict[str, Any], query.validated_data)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return response

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.request.user)

    @property
    def by(self) -> Actor:
        return self.caller.actor

    @property
    def access(self) -> Access:
        """What of the agency is there for the caller."""
        return self.caller.access

    def check_right(self, right: Right, *, field: str | None = None) -> None:
        """Raise NotAllowed unless the caller's role includes a right beside `right_to_write`."""
        if not self.caller.may(right):
            raise NotAllowed(refusal(right), field=field)
        self.rights_needed.add(right)

    @property
    def wants_csv(self) -> bool:
        return self.request.accepted_renderer.format == "csv"


class Resource(ApiView, GenericViewSet[M]):
    """Rows that are listed in pages and shown one by one.

    `rows` says which there are, `seen` which of them the caller sees, `narrow` applies the filters,
    and `show` tells many at once, in a number of statements that does not grow with them.
    """

    what: ClassVar[str]  # What people call one of them.
    brand_path: ClassVar[str]  # Leads from a row to the one brand that it belongs to.
    lookup_field = "id"
    lookup_value_converter = "uuid"
    serializer_class: type[Serializer[Any]]

    def read_query(self) -> dict[str, Any]:
        if self.action == "list":
            return self.read_words(
                self.filters, cast(Backwards | Feed | NumberedPages, self.paginator).words
            )
        return self.read_words(Query, frozenset())

    def rows(self) -> QuerySet[M]:
        """Return all rows of the agency, totally ordered, with what `show` wants beside them."""
        raise NotImplementedError

    def seen(self) -> QuerySet[M]:
        """Return those of the rows that belong to the caller's brands."""
        return self.access.narrow(self.rows(), self.brand_path)

    def narrow(self, rows: QuerySet[M], asked: Mapping[str, Any]) -> QuerySet[M]:
        """Return the rows that the query asks for."""
        return rows

    def show(self, rows: Sequence[M]) -> list[Shown]:
        """Return what the answer says of each row, by the names of `serializer_class`."""
        raise NotImplementedError

    def list(self, request: Request, **_: Any) -> Any:
        page = self.paginate_queryset(self.narrow(self.seen(), self.asked))
        assert page is not None
        return self.get_paginated_response(self.written(page))

    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(self.written([self.find()])[0])

    def find(self, row_id: UUID | None = None) -> M:
        """Return the row that the address names, or the one of `row_id`. Raises NotFound."""
        row = self.seen().filter(id=row_id or self.kwargs["id"]).first()
        if row is None:
            raise NotFound(f"There is no such {self.what}.")
        return row

    def written(self, rows: Sequence[M]) -> Sequence[Shown]:
        """Return the rows as JSON has them."""
        serializer = writer_of(self.serializer_class)
        return [serializer.to_representation(shown) for shown in self.show(rows)]


class EditableResource(Resource[M]):
    """Rows that are made, changed and removed, each by one service of `campaigns`."""

    serializer_class: type[Body]

    def add(self, values: dict[str, Any]) -> UUID:
        """Make a row and return its id."""
        raise NotImplementedError

    def change(self, row: M, changes: dict[str, Any]) -> None:
        """Change a row."""
        raise NotImplementedError

    def remove(self, row: M) -> str:
        """Delete a row; return "", or a sentence that says why it is still here."""
        raise NotImplementedError

    def create(self, request: Request, **_: Any) -> Response:
        return Response(self.written([self.find(self.add(self.read_body()))])[0], 201)

    def update(self, request: Request, **_: Any) -> Response:
        row = self.find()
        self.change(row, self.read_body(row))
        return self.retrieve(request)

    def partial_update(self, request: Request, **_: Any) -> Response:
        return self.update(request)

    def destroy(self, request: Request, **_: Any) -> Response:
        detail = self.remove(self.find())
        if not detail:
            return Response(status=204)
        return Response({**self.written([self.find()])[0], "detail": detail})

    def read_body(self, row: M | None = None) -> dict[str, Any]:
        """Return the values that the body sets, on `row` if given. Raises ValidationError."""
        body = self.serializer_class(
            instance=row,
            data=self.request.data,
            partial=self.action == "partial_update",
            context={"shown_now": lambda: self.written([row])[0] if row is not None else {}},
        )
        body.is_valid(raise_exception=True)
        return cast(dict[str, Any], body.validated_data)
