"""Who may look at and change what in an agency's admin: the role says, by `accounts.roles`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, TabularInline
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User
from accounts.roles import Right
from kernel import clock
from kernel.actor import Actor

from ..access import access_of
from ..choosing import ChoiceByTyping
from ..figures import FiguredChangeList
from ..journal import JournaledAdmin
from ..refusals import RefusingAdmin

if TYPE_CHECKING:
    _TabularInline = TabularInline[Any, Any]
else:
    _TabularInline = TabularInline


def may(request: HttpRequest, right: Right | None) -> bool:
    """Return whether the person who asks may; nobody has the right None."""
    user = request.user
    return right is not None and isinstance(user, User) and user.may(right)


def actor_of(request: HttpRequest) -> Actor:
    """Return who is asking, as services store it."""
    assert isinstance(request.user, User), "the site lets only its people in"
    return request.user.actor


def become(row: Any, stored: Any) -> None:
    """Make the form's own instance the row that the service stored: the page goes on with it."""
    row.__dict__.update(stored.__dict__)


class AgencyAdmin(RefusingAdmin, JournaledAdmin):
    """Rows of an agency: whoever may look looks; the rest asks for `edit_right` (None: nobody)."""

    # Leads from a row to the one brand that it belongs to; None: to none.
    brand_path: ClassVar[str | None]
    view_right: Right = Right.VIEW
    edit_right: Right | None = None
    can_add = True
    can_change = True
    can_delete = False
    list_per_page = 50
    list_max_show_all = 500
    view_on_site = False
    show_facets = ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if self.brand_path is None else access_of(request).narrow(rows, self.brand_path)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, self.view_right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.view_right)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and may(request, self.edit_right)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_change and may(request, self.edit_right)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete and may(request, self.edit_right)

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        try:
            return super().response_action(request, queryset)
        except ValidationError:
            self.message_user(request, "What was chosen does not exist.", messages.ERROR)
            return None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = ChoiceByTyping(db_field, self.admin_site)
        # To choose from is what the person sees on the list of that kind.
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if related is not None:
            kwargs.setdefault("queryset", related.get_queryset(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # What may be removed is removed on its own page, which says what will happen.
            field.widget.can_delete_related = False
        return field


class FiguredAdmin(AgencyAdmin):
    """Rows beside which figures are shown, gathered for the whole page at once."""

    def gather(self, rows: Sequence[Any], *, now: datetime) -> None:
        """Attach what the page shows of the rows, in a fixed number of statements."""
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FiguredChangeList]:
        return FiguredChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.gather([row], now=clock.read())
        return row


class HistoryInline(_TabularInline):
    """Rows below another's that nobody changes."""

    extra = 0
    max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Right.VIEW)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
