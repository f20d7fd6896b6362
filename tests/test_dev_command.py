"""`landfall dev` as a newcomer runs it: real processes on one data directory, kept from test to test."""

import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.commands import environment, landfall

COMMAND = [sys.executable, "-m", "server", "dev"]
PASSWORD = "landfall-demo-1"


@dataclass
class Dev:
    """A running `landfall dev`."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    _incoming: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._incoming.put(line)

    def until(self, pattern: str, seconds: float = 120) -> "re.Match[str]":
        """The first line that matches, once it is printed."""
        deadline = time.monotonic() + seconds
        while True:
            line = self._incoming.get(timeout=max(0.01, deadline - time.monotonic()))
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    @property
    def output(self) -> str:
        while not self._incoming.empty():
            self.lines.append(self._incoming.get())
        return "".join(self.lines)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@contextmanager
def dev(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Dev]:
    """Started, ready, and killed at the end if the test did not stop it."""
    command = [*COMMAND, "--data-dir", str(data_dir), *arguments]
    process = subprocess.Popen(
        command, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            yield Dev(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(20)


def refused(data_dir: Path, *arguments: str, **settings: str) -> str:
    """Error output of a `landfall dev` that does not start; its exit code is 1."""
    done = landfall("dev", "--data-dir", str(data_dir), *arguments, **settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def ask(address: str, query: str, variables: dict[str, Any] | None = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["data"]


def sign_in(address: str, email: str, password: str = PASSWORD) -> Any:
    query = """mutation($input: SignInInput!) { signIn(input: $input) {
      tokens { accessToken } user { name } errors { code } } }"""
    device = {"deviceId": "00000000-0000-4000-8000-000000000001", "name": "Laptop", "platform": "WEB"}
    given = {"idempotencyKey": f"{email}{time.monotonic()}", "email": email, "password": password}
    return ask(address, query, {"input": {**given, "device": device}})["signIn"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev")


def test_the_whole_life_of_it(data_dir: Path) -> None:
    """One story, because a start takes seconds: start, use, refuse a second, stop, start again."""
    with dev(data_dir, "--port", "0", "--scale", "0.2") as running:
        running.until(r"Landfall is ready in \d+\.\d s")
        address = running.until(r"GraphiQL +(http://127\.0\.0\.1:\d+)/graphql")[1]
        assert running.until(r"Outbox +(\S+)")[1] == f"{address}/dev/outbox"
        assert running.until(r"ada@example\.com +(\S+)")[1] == PASSWORD
        assert running.until(r"^ +grace@example\.com +(\S+)  administrator$")[1] == PASSWORD
        assert running.until(r"^ +alan@example\.com +(\S+)  auditor$")[1] == PASSWORD
        running.until("Paste this into GraphiQL")
        query = running.until(r"^ +(\{ viewer .*\})$")[1]
        running.until("Ctrl-C stops everything")

        signed_in = sign_in(address, "ada@example.com")
        assert (signed_in["errors"], signed_in["user"]) == ([], {"name": "Ada Lovelace"})
        token = signed_in["tokens"]["accessToken"]
        edges = ask(address, query, token=token)["viewer"]["feed"]["edges"]
        assert len(edges) == 5
        assert all(edge["node"]["author"]["name"] and edge["node"]["textPreview"] for edge in edges)

        _every_example_runs_as_given(address, token)
        _an_auditor_finds_entries_and_evidence(address)

        create = """mutation($input: CreatePostInput!) {
          createPost(input: $input) { post { id } errors { code } } }"""
        given = {"idempotencyKey": "first", "text": "Kept over a restart", "visibility": "PUBLIC"}
        created = ask(address, create, {"input": given}, token)["createPost"]
        assert created["errors"] == []

        said = refused(data_dir, "--port", "0")
        assert f"The data directory {data_dir} is in use by process {running.process.pid}." in said
        assert ask(address, "{ __typename }") == {"__typename": "Query"}

        children = psutil.Process(running.process.pid).children(recursive=True)
        assert {child.name() for child in children} >= {"mongod", "redis-server"}
        assert running.stop() == 0
        assert "Stopped." in running.output
        assert "Traceback" not in running.output
        assert [child for child in children if child.is_running()] == []

    with dev(data_dir, "--port", "0", "--scale", "0.2") as running:
        address = running.until(r"GraphiQL +(http://127\.0\.0\.1:\d+)/graphql")[1]
        assert "Loading demo data" not in running.output
        find = "query($id: ID!) { post(id: $id) { text author { name } } }"
        found = ask(address, find, {"id": created["post"]["id"]})
        assert found == {"post": {"text": "Kept over a restart", "author": {"name": "Ada Lovelace"}}}
        # The signing key is kept too, so nobody is signed out by a restart.
        assert ask(address, "{ viewer { user { name } } }", token=token) == {
            "viewer": {"user": {"name": "Ada Lovelace"}}
        }
        assert running.stop() == 0


def page_config(address: str) -> Any:
    """Configuration that the server writes into the GraphiQL page."""
    request = urllib.request.Request(f"{address}/graphql", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read().decode()
    return json.loads(text.partition('id="landfall-config">')[2].partition("</script>")[0])


def _every_example_runs_as_given(address: str, token: str) -> None:
    """Four of them said that 'post_...' is not an id."""
    config = page_config(address)
    assert [user["email"].partition("@")[0] for user in config["demoUsers"]] == ["ada", "grace", "alan"]
    assert len(config["examples"]) == 14
    for example in config["examples"]:
        variables = json.loads(example["variables"])
        if "\nsubscription " in f"\n{example['query']}":
            # What it watches is there, for her.
            [id] = variables.values()
            assert ask(address, "query($id: ID!) { node(id: $id) { id } }", {"id": id}, token)["node"]
            continue
        data = ask(address, example["query"], variables, token)
        [found] = data.values()
        assert found, example["name"]
        assert found.get("errors", []) == [], example["name"]


def _an_auditor_finds_entries_and_evidence(address: str) -> None:
    signed_in = sign_in(address, "alan@example.com")
    token = signed_in["tokens"]["accessToken"]
    listed = """{ auditEntries(first: 50, filter: { incidentIds: %s }) { edges { node {
      action actorName sensitiveDetails integrity } } } }"""
    collected = "{ evidence { edges { node { incidentId status custodianId collectorId } } } }"
    found = ask(address, collected, token=token)
    [evidence] = [edge["node"] for edge in found["evidence"]["edges"]]
    assert (evidence["status"], evidence["custodianId"] != evidence["collectorId"]) == ("SEALED", True)
    incident = json.dumps([evidence["incidentId"]])
    edges = ask(address, listed % incident, token=token)["auditEntries"]["edges"]
    # A worker verifies the file meanwhile: its entry may still wait for its place in the log.
    entries = [edge["node"] for edge in edges if edge["node"]["action"] != "audit.evidence_verified"]
    assert [each["action"] for each in entries] == [
        "audit.custody_recorded",
        "audit.evidence_collected",
        "account.password_reset",
        "incident.classified",
        "incident.reported",
    ]
    assert {each["integrity"] for each in entries} == {"VERIFIED"}
    assert (entries[-1]["actorName"], entries[-1]["sensitiveDetails"]) == (
        "Ada Lovelace",
        {"callback": "+44 20 7946 0018"},
    )


def test_without_demo_people(tmp_path: Path) -> None:
    with dev(tmp_path, "--port", "0", "--no-demo") as running:
        address = running.until(r"GraphiQL +(http://127\.0\.0\.1:\d+)/graphql")[1]
        running.until("Ctrl-C stops everything")
        assert "example.com" not in running.output
        assert "Nobody is here yet: sign up" in running.output
        assert page_config(address)["demoUsers"] == []
        answer = sign_in(address, "ada@example.com")
        assert [error["code"] for error in answer["errors"]] == ["CREDENTIALS_INVALID"]
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken, ThreadPoolExecutor() as pool:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        busy = pool.submit(refused, tmp_path, "--port", str(port))
        production = pool.submit(refused, tmp_path, "--port", "0", ENV="production")
        setting = pool.submit(refused, tmp_path, "--port", "0", REQUEST_TIMEOUT="soon", SECRET="hush")
        assert busy.result() == f"Port {port} is taken: choose another with --port, or leave it out.\n"
        assert production.result() == (
            "`landfall dev` has demo accounts with known passwords: use `landfall serve`.\n"
        )
        assert setting.result().startswith("LANDFALL_REQUEST_TIMEOUT: Input should be a valid number")
        assert "hush" not in setting.result()
    assert list(tmp_path.iterdir()) == []
