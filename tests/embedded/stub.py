"""A run of the supervisor whose programs cost nothing to start: `python -m tests.embedded.stub`.

The checkout is the current folder. Each program writes its name into `ended` when it is asked to
stop. The worker has a child that does not listen to anybody, as a busy pool has.
"""

from __future__ import annotations

import sys
from pathlib import Path

from embedded.__main__ import main
from embedded.environment import Environment
from embedded.project import Program, Project

MIGRATE = "import os, sys; sys.exit(os.environ.get('STUB_MIGRATE_FAILS'))"
DEMO = "print('Log in as alice@example.com')"
WEB = """
import http.server, os, signal, sys
def stop(*_):
    print('web', file=open('ended', 'a'))
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ['DATABASE_URL'].encode())
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"""
BACKGROUND = """
import os, signal, sys, time
name = sys.argv[1]
def stop(*_):
    print(name, file=open('ended', 'a'))
    os._exit(0)
if name == 'worker' and not os.fork():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)
signal.signal(signal.SIGTERM, stop)
time.sleep(600)
"""


def stub_project(root: Path, environment: Environment) -> Project:
    """Return programs that only pretend."""

    def program(name: str, code: str, *words: str, shows_output: bool = False) -> Program:
        argv = (sys.executable, "-S", "-c", code, *words)
        return Program(name=name, argv=argv, shows_output=shows_output)

    return Project(
        root=root,
        migrate=program("migrate", MIGRATE),
        web=program("web", WEB, str(environment.port)),
        then=(program("demo", DEMO, shows_output=True),),
        background=tuple(
            program(name, BACKGROUND, name) for name in ("worker", "beat", "simulator")
        ),
    )


if __name__ == "__main__":
    sys.exit(main(root=Path.cwd(), project_of=stub_project))
