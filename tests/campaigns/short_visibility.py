"""The settings, with a broker that gives up a silent worker soon: DJANGO_SETTINGS_MODULE."""

from config.settings import *  # noqa: F403

VISIBILITY_SECONDS = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": VISIBILITY_SECONDS}
