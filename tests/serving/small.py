"""A small application: it tells its process, and waits for a file to be there if it is asked to."""

import os
import time
from pathlib import Path
from typing import Any


def application(environ: dict[str, Any], start: Any) -> list[bytes]:
    """Answer with the process's id; with `?PATH`, write PATH.begun and wait for PATH first."""
    if path := environ["QUERY_STRING"]:
        Path(f"{path}.begun").touch()
        while not Path(path).exists():
            time.sleep(0.02)
    body = str(os.getpid()).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
