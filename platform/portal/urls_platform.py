"""The pages of the platform's own site."""

from django.urls import path

from .views import sign_up
from .views.landing import landing

app_name = "portal"

urlpatterns = [
    path("", landing, name="landing"),
    path("sign-up/", sign_up.ask, name="sign_up"),
    path("sign-up/sent/", sign_up.sent, name="sign_up_sent"),
    path("sign-up/<str:token>/", sign_up.link, name="sign_up_link"),
]
