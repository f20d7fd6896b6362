"""MongoDB as child processes: a real replica set, so transactions and change streams work."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devstack import binaries
from devstack.process import POLL, START_TIMEOUT, ServerProcess, StartFailed, accepts, free_port

REPLICA_SET = "rs0"
NOT_YET_INITIALIZED = 94
ALREADY_INITIALIZED = 23

# A small journal, made as it grows: the default writes 300 MB before the first request.
EPHEMERAL_JOURNAL = (
    "log=(enabled=true,remove=true,path=journal,compressor=snappy,prealloc=false,file_max=8MB)"
)
# With several members a fault test should not wait ten seconds for an election.
FAST_ELECTIONS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}


class EmbeddedMongo:
    """A replica set of one member, or of three for fault tests; members are numbered from 0.

    `ephemeral` with one member acknowledges before the journal is written: `kill` may lose its last writes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        members: int = 1,
        ephemeral: bool = False,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.ephemeral = ephemeral
        self.ports = [port or free_port(), *(free_port() for _ in range(members - 1))]
        self.processes = [
            _process(folder / str(member), port, ephemeral, keep_open)
            for member, port in enumerate(self.ports)
        ]

    @property
    def url(self) -> str:
        return f"mongodb://{','.join(map(_host, self.ports))}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start every member without waiting."""
        for process in self.processes:
            process.start()

    def wait(self) -> None:
        """Until every member listens, the set is formed and has a primary, and the others follow it."""
        for process, port in zip(self.processes, self.ports, strict=True):
            process.wait_until(partial(accepts, port))
        with _client(self.ports[0]) as client:
            self.processes[0].wait_until(lambda: _formed(client, self._config()))
        self.wait_for_primary()
        for member in range(len(self.ports)):
            self._wait_for_member(member)

    def stop(self) -> None:
        """Stop every member. A mongod takes up to a second for it, so all of them at once."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.stop()

    def wait_for_primary(self, *, other_than: int | None = None) -> int:
        """The member that accepts writes, once there is one."""
        found: list[int] = []

        def elected() -> bool:
            found[:] = [member for member in self._running() if self._role(member) == "primary"]
            return bool(found) and found[0] != other_than

        _poll(elected, "The replica set has no primary")
        return found[0]

    def step_down(self, seconds: int = 10) -> int:
        """Make the primary give up for so many seconds; the new primary, at once if there are others."""
        old = self.wait_for_primary()
        with _client(self.ports[old]) as client:
            client.admin.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=1, force=True)
        alone = len(self._running()) == 1
        return self.wait_for_primary(other_than=None if alone else old)

    def kill(self, member: int | None = None) -> None:
        """kill -9 one member, or all."""
        for process in self.processes if member is None else [self.processes[member]]:
            process.kill()

    def restart(self, member: int) -> None:
        """Start a stopped or killed member again, on its port and its data, and wait until it follows."""
        process = self.processes[member]
        process.start()
        process.wait_until(lambda: accepts(self.ports[member]))
        self._wait_for_member(member)

    def _config(self) -> dict[str, Any]:
        members = [{"_id": member, "host": _host(port)} for member, port in enumerate(self.ports)]
        config: dict[str, Any] = {"_id": REPLICA_SET, "members": members}
        if len(members) > 1:
            config["settings"] = FAST_ELECTIONS
        elif self.ephemeral:
            # Halves the time of a write.
            config["writeConcernMajorityJournalDefault"] = False
        return config

    def _wait_for_member(self, member: int) -> None:
        self.processes[member].wait_until(lambda: self._role(member) in ("primary", "secondary"))

    def _running(self) -> list[int]:
        return [member for member, process in enumerate(self.processes) if process.running]

    def _role(self, member: int) -> str:
        try:
            with _client(self.ports[member]) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return "unreachable"
        if hello["isWritablePrimary"]:
            return "primary"
        return "secondary" if hello.get("secondary") else "starting"


def _process(folder: Path, port: int, ephemeral: bool, keep_open: Sequence[int]) -> ServerProcess:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    command = [str(binaries.mongod()), "--dbpath", str(data), "--port", str(port), *_options(ephemeral)]
    return ServerProcess(command, folder / "mongod.log", keep_open)


def _options(ephemeral: bool) -> list[str]:
    options = ["--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"]
    parameters = {
        "transactionLifetimeLimitSeconds": "10",
        "diagnosticDataCollectionEnabled": "false",
        # The default waits up to 15 s for clients to move to another member.
        "shutdownTimeoutMillisForSignaledShutdown": "100",
    }
    for name, value in parameters.items():
        options += ["--setParameter", f"{name}={value}"]
    if ephemeral:
        return [*options, *_ephemeral_options()]
    return [*options, "--wiredTigerCacheSizeGB", "0.5"]


def _ephemeral_options() -> list[str]:
    return [
        *("--wiredTigerCacheSizeGB", "0.25"),
        *("--wiredTigerEngineConfigString", EPHEMERAL_JOURNAL),
        *("--oplogSize", "100"),
    ]


def _formed(client: MongoClient[dict[str, Any]], wanted: dict[str, Any]) -> bool:
    """Give the set its members if it is new, their new ports if they moved; false: ask again."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        return _initiated(client, wanted)
    old, new = config["members"], wanted["members"]
    if len(old) != len(new):
        raise StartFailed(f"The data directory holds a replica set of {len(old)} members, not {len(new)}.")
    if [member["host"] for member in old] != [member["host"] for member in new]:
        moved = config | {"members": new, "version": config["version"] + 1}
        client.admin.command("replSetReconfig", moved, force=True)
    return True


def _initiated(client: MongoClient[dict[str, Any]], config: dict[str, Any]) -> bool:
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        # It was still reading its configuration when it said it had none.
        if error.code != ALREADY_INITIALIZED:
            raise
        return False
    return True


def _poll(done: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not done():
        if time.monotonic() > deadline:
            raise StartFailed(f"{complaint} after {START_TIMEOUT:.0f} s.")
        time.sleep(POLL)


def _client(port: int) -> MongoClient[dict[str, Any]]:
    # A paused member must not hold up the question for long.
    return MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000, socketTimeoutMS=5000
    )


def _host(port: int) -> str:
    return f"127.0.0.1:{port}"
