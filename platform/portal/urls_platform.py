"""The pages of the platform's own site."""

from django.urls import path

from .views.landing import landing

app_name = "portal"

urlpatterns = [path("", landing, name="landing")]
