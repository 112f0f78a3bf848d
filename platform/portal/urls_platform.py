"""The pages of an agency."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
