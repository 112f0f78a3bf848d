"""Questions about agencies, asked on the platform's schema."""

from .models import Agency


def agency_by_slug(slug: str) -> Agency | None:
    """Return the agency with this slug that has a schema, active or not; else None."""
    return Agency.objects.filter(slug=slug.lower(), is_ready=True).first()


def agencies_to_serve() -> list[Agency]:
    """Return the active agencies, in the order of their slugs."""
    return list(Agency.objects.filter(is_active=True, is_ready=True).order_by("slug"))
