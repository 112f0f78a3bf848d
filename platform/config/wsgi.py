"""`gunicorn config.wsgi`. WSGI on purpose: the async ORM would be in no agency's context."""

import gc
import os
import sys
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config import database  # noqa: E402  (it needs the applications, which are there now)

database.warn_in_background()
# All that stays for the life of a worker is loaded and set aside: looking through it again and
# again among the values of a request took a tenth of the time of a batch.
for urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF):
    import_module(urls)
gc.freeze()
# A batch makes tens of thousands of values, of which hardly any is part of a cycle: to look for
# cycles after every 700 took another tenth. They are found a few requests later now.
gc.set_threshold(50_000)
# Between two statements a request needs the interpreter for moments. Where another thread of the
# process computes (an export, a large batch), each such moment waits for it that long.
sys.setswitchinterval(0.0005)
