"""The product's settings, with the baselines' views beside the product's own."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_view"
