"""`gunicorn config.wsgi`. WSGI on purpose: the async ORM would be in no agency's context."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config import durability  # noqa: E402  (it needs the applications, which are there now)

durability.warn_in_background()
