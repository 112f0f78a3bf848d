"""The roof: settings, addresses, Celery, WSGI, health."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
