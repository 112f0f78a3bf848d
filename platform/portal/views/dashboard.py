"""The agency's overview."""

from django.http import HttpResponse

from kernel import clock

from .. import seen
from ..access import PortalRequest, page
from ..overview import Query, dashboard
from ..params import id_in, page_in, text_in
from ..states import SHOWN_STATES, State
from . import live


@page()
def index(request: PortalRequest) -> HttpResponse:
    """Every brand's and campaign's today and month, and what needs attention."""
    board = dashboard(_query(request), seen.brands(request), now=clock.read())
    context = {"board": board, "states": SHOWN_STATES, "folds": live.folds(request)}
    return live.answer(request, "portal/dashboard.html", "portal/parts/board.html", context)


def _query(request: PortalRequest) -> Query:
    state = text_in(request, "status")
    return Query(
        text=text_in(request, "q"),
        brand_id=id_in(request, "brand"),
        state=State(state) if state in SHOWN_STATES else None,
        page=page_in(request),
        opened=live.folds(request),
    )
