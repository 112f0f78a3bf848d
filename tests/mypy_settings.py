"""Settings for mypy's Django plugin: the real ones, with values that no server needs to answer."""

import os

os.environ.setdefault("SECRET_KEY", "mypy")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

from config.settings import *  # noqa: F403
