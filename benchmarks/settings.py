"""The product's settings, with the baseline's view beside the product's own."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_view"
