"""Starts everything in order, keeps it running, and stops it in the opposite order."""

from __future__ import annotations

import time
from collections.abc import Mapping

from embedded.account import unprivileged_account
from embedded.bell import Bell
from embedded.console import say
from embedded.environment import Environment
from embedded.errors import StartError, StopRequestedError, start_error
from embedded.home import Home
from embedded.ports import LOOPBACK, http_status
from embedded.postgres import Postgres
from embedded.processes import Process, ending
from embedded.project import Program, Project
from embedded.tended import Tended
from embedded.valkey import Valkey

WEB_SECONDS_MAX = 60.0
WEB_POLL_SECONDS = 0.1
IDLE_SECONDS = 60.0  # Whatever happens rings the bell.


class Supervisor:
    """One run of Paceline."""

    def __init__(
        self, *, environment: Environment, home: Home, project: Project, bell: Bell, alive: int
    ) -> None:
        """Describe a run; `alive` is the lock that all of its processes inherit."""
        self._environment = environment
        self._home = home
        self._project = project
        self._bell = bell
        self._alive = alive
        self._variables = dict(environment.everything)
        # Both in the order in which they started.
        self._servers: list[Process] = []
        self._programs: list[Process] = []
        self._tended: list[Tended] = []

    def run(self) -> int:
        """Run until asked to stop; return the exit code. Raises StartError."""
        try:
            self._start()
            while True:
                self._pause(IDLE_SECONDS)
        except StopRequestedError:
            say("Stopping.")
            return 0
        finally:
            self._stop()

    def _start(self) -> None:
        self._home.rotate_logs()
        settings = self._settings(self._start_servers())
        self._home.write_run_env(settings)
        self._variables |= settings | {"PACELINE_HOME": str(self._home.path)}
        say("Preparing the database.")
        self._run_to_end(self._project.migrate)
        self._start_program(self._project.web)
        for program in self._project.then:
            self._run_to_end(program)
        for program in self._project.background:
            self._start_program(program)
        self._wait_for_web()
        say(f"Mails go to {self._home.mails}, logs to {self._home.logs}.")
        say(f"Ready: {self._environment.url}")

    def _start_servers(self) -> dict[str, str]:
        """Start the servers that are not given; return the settings that they bring."""
        servers: dict[str, Postgres | Valkey] = {}
        if self._environment.database_url is None:
            servers["DATABASE_URL"] = self._postgres()
        if self._environment.redis_url is None:
            servers["REDIS_URL"] = self._valkey()
        for server in servers.values():
            self._servers.append(server.process)
            server.start()
        for server in servers.values():
            server.wait_until_ready(self._pause)
            say(f"{server.process.name} listens on {LOOPBACK}:{server.port}.")
            # Only now: a server that can't even start is an error, not something to tend.
            self._tended.append(Tended(server.process))
        return {name: server.url for name, server in servers.items()}

    def _settings(self, servers: Mapping[str, str]) -> dict[str, str]:
        """Return the settings of this run for everything that runs in it."""
        environment, home = self._environment, self._home
        given = {"DATABASE_URL": environment.database_url, "REDIS_URL": environment.redis_url}
        return {
            **servers,
            **{name: url for name, url in given.items() if url},
            "SECRET_KEY": environment.secret_key or home.kept_secret("secret_key"),
            # For people to type, so it is shorter.
            "PACELINE_DEMO_PASSWORD": environment.demo_password
            or home.kept_secret("demo_password", byte_count=9),
            # One slash ends the empty host, the other begins the path: django-environ wants both.
            "EMAIL_URL": environment.email_url or f"filemail:///{home.mails}",
            "PACELINE_URL": environment.url,
            "PACELINE_PORT": str(environment.port),
            "PACELINE_BIND": environment.bind,
            "PACELINE_DEMO": "1" if environment.has_demo else "0",
        }

    def _postgres(self) -> Postgres:
        account = unprivileged_account()
        return Postgres(
            folder=self._home.database_folder(account),
            log=self._home.log("postgres"),
            account=account,
            inherits=(self._alive,),
        )

    def _valkey(self) -> Valkey:
        log = self._home.log("valkey")
        return Valkey(folder=self._home.valkey, log=log, inherits=(self._alive,))

    def _process(self, program: Program) -> Process:
        return Process(
            program.name,
            program.argv,
            folder=self._project.root,
            log=self._home.log(program.name),
            environment=self._variables,
            inherits=(self._alive,),
            shows_output=program.shows_output,
        )

    def _start_program(self, program: Program) -> None:
        process = self._process(program)
        self._programs.append(process)
        process.start()
        self._tended.append(Tended(process))

    def _run_to_end(self, program: Program) -> None:
        process = self._process(program)
        self._programs.append(process)
        process.start()
        while (exit_code := process.exit_code()) is None:
            self._pause(IDLE_SECONDS)
        self._programs.remove(process)
        if exit_code:
            raise start_error(
                f"{program.name} failed with {ending(exit_code)} (see {process.log})",
                output=process.output(),
                folder=self._home.path,
            )

    def _wait_for_web(self) -> None:
        environment = self._environment
        deadline = time.monotonic() + WEB_SECONDS_MAX
        while True:
            status = http_status(bind=environment.bind, port=environment.port, url=environment.url)
            if status is not None and status < 500:
                return
            if time.monotonic() > deadline:
                answer = f"answers with status {status}" if status else "does not answer"
                raise StartError(f"The web server {answer} (see {self._home.log('web')}).")
            self._pause(WEB_POLL_SECONDS)

    def _pause(self, seconds: float) -> None:
        """Wait for something to happen, and tend what runs."""
        due = [due for tended in self._tended if (due := tended.seconds_until_due()) is not None]
        self._bell.pause(min([seconds, *due]))
        for tended in self._tended:
            tended.tend()

    def _stop(self) -> None:
        """Stop everything in the order that leaves each what it needs until it has ended."""
        for process in reversed(self._programs):
            process.stop(is_hurried=self._bell.is_hurried)
        for process in reversed(self._servers):
            # However hurried: a server that is killed has to repair its data at the next start.
            process.stop()
