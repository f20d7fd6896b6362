"""Start of `landfall` with wrong settings: one sentence says what is wrong, without a traceback."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.context import Services
from core.settings import Settings
from devstack.servers import Servers
from server import VERSION, lifespan, process
from server.starting import NotReady
from tests.commands import LANDFALL, Done, all_done, environment, landfall
from tests.guarded import Guarded, guarded, tls_context

MONGO = "MongoDB at mongodb://127.0.0.1"
REDIS = "Redis at redis://127.0.0.1"
SAID = {
    "a busy port": "Port {busy} is taken: choose another by --port or LANDFALL_PORT.",
    "a mongodb address of another kind": "LANDFALL_MONGO_URL must begin with mongodb:// or mongodb+srv://.",
    "a mongodb port that is none": "LANDFALL_MONGO_URL: Port must be an integer between 0 and 65535",
    "a redis address of another kind": "LANDFALL_REDIS_URL: Redis URL must specify one of the following "
    "schemes (redis://, rediss://, unix://)",
    "a redis port that is none": "LANDFALL_REDIS_URL: Port could not be cast to integer value as 'abc'",
    "another replica set": MONGO + ":{mongo}/?replicaSet=rs9 is of the replica set rs0: "
    "write replicaSet=rs0, not rs9.",
    "a wrong mongodb password": MONGO + ":{locked}/landfall?replicaSet=rs0 refuses the user and password "
    "of LANDFALL_MONGO_URL.",
    "an untrusted mongodb certificate": "The certificate of " + MONGO + ":{locked}/landfall?replicaSet=rs0"
    "&tls=true is not trusted: name its authority by tlsCAFile=... in LANDFALL_MONGO_URL.",
    "a wrong redis password": REDIS + ":{shut}/0 refuses the user and password of LANDFALL_REDIS_URL.",
    "an untrusted redis certificate": "The certificate of Redis at rediss://127.0.0.1:{tls}/0 is not "
    "trusted: name its authority by ssl_ca_certs=... in LANDFALL_REDIS_URL.",
}
"""Last line that `landfall serve` prints for each."""

SAID_TOO = {
    "a host that is not ours": "Listening on 192.0.2.1:0 is not possible: ",
    "an authority's file that is missing": "LANDFALL_MONGO_URL: [Errno 2] No such file or directory",
    "a database name that is none": "LANDFALL_MONGO_DATABASE: database names cannot contain the character",
    "no mongodb user": MONGO
    + ":{locked}/landfall?replicaSet=rs0 lets our user not do that: it needs a user in "
    "LANDFALL_MONGO_URL whose role on the database landfall is readWrite.",
    "a mongodb without tls": MONGO + ":{mongo}/?replicaSet=rs0&tls=true does not speak TLS as "
    "LANDFALL_MONGO_URL wants it.",
    "a mongodb that is away": MONGO + ":1/ does not answer: is it running?",
    "a redis option that is none": "LANDFALL_REDIS_URL: There is no such option.",
    "no redis password": REDIS + ":{shut}/0 refuses the user and password of LANDFALL_REDIS_URL.",
    "a redis database that is none": REDIS + ":{redis}/99 refuses us: DB index is out of range.",
    "a mail address of another kind": "LANDFALL_SMTP_URL: Write it as smtp://user:password@host:587, "
    "or smtps://.",
    "a mail port that is none": "LANDFALL_SMTP_URL: Port could not be cast to integer value as 'abc'",
}
"""Messages of the same code path, called in this process: a process for each would take seconds."""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as running:
        yield running


@contextmanager
def speaking_tls(certificate: Path) -> Iterator[int]:
    """A port where a handshake is all that happens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    tls_context(certificate).wrap_socket(connection, server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def ports(servers: Servers, locked: Guarded) -> Iterator[dict[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as taken, speaking_tls(locked.certificate) as tls:
        yield {
            "busy": taken.getsockname()[1],
            "mongo": servers.mongo.ports[0],
            "redis": servers.redis.port,
            "locked": locked.mongo_port,
            "shut": locked.redis_port,
            "tls": tls,
        }


@pytest.fixture(scope="module")
def told(
    servers: Servers, locked: Guarded, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Done]:
    """Output and exit code of `landfall serve`, by case."""
    given: dict[str, dict[str, str]] = {
        "a busy port": {"PORT": str(ports["busy"])},
        "a mongodb address of another kind": {"MONGO_URL": "127.0.0.1:27017"},
        "a mongodb port that is none": {"MONGO_URL": "mongodb://127.0.0.1:99999/"},
        "a redis address of another kind": {"REDIS_URL": "127.0.0.1:6379"},
        "a redis port that is none": {"REDIS_URL": "redis://127.0.0.1:abc/0"},
        "another replica set": {"MONGO_URL": servers.mongo_url.replace("rs0", "rs9")},
        "a wrong mongodb password": {"MONGO_URL": locked.mongo("mistaken")},
        "an untrusted mongodb certificate": {"MONGO_URL": locked.mongo(tls="true")},
        "a wrong redis password": {"REDIS_URL": locked.redis("mistaken")},
        "an untrusted redis certificate": {"REDIS_URL": f"rediss://127.0.0.1:{ports['tls']}/0"},
    }
    common = {
        "MONGO_URL": servers.mongo_url,
        "REDIS_URL": servers.redis_url,
        "MONGO_DATABASE": "starting",
        "START_TIMEOUT": "3",
        "DATA_DIR": str(tmp_path_factory.mktemp("start")),
        "PORT": "0",
    }
    return all_done({name: partial(landfall, "serve", **(common | own)) for name, own in given.items()})


@pytest.mark.parametrize("what", SAID)
def test_what_is_wrong_is_said(told: dict[str, Done], ports: dict[str, int], what: str) -> None:
    done = told[what]
    assert done.stderr.splitlines()[-1] == SAID[what].format(**ports)
    assert "Traceback" not in done.stdout + done.stderr
    assert "mistaken" not in done.stdout + done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("what", SAID_TOO)
async def test_what_else_is_wrong_is_said(
    services: Services, settings: Settings, locked: Guarded, ports: dict[str, int], what: str
) -> None:
    given = {
        "a host that is not ours": {"host": "192.0.2.1"},
        "an authority's file that is missing": {
            "mongo_url": f"{settings.mongo_url}&tls=true&tlsCAFile=/nowhere.pem"
        },
        "a database name that is none": {"mongo_database": "land fall"},
        "no mongodb user": {"mongo_url": locked.mongo(None)},
        "a mongodb without tls": {"mongo_url": f"{settings.mongo_url}&tls=true"},
        "a mongodb that is away": {"mongo_url": "mongodb://127.0.0.1:1/"},
        "a redis option that is none": {"redis_url": f"{settings.redis_url}?nonsense=1"},
        "no redis password": {"redis_url": locked.redis(None)},
        "a redis database that is none": {"redis_url": settings.redis_url.replace("/0", "/99")},
        "a mail address of another kind": {"smtp_url": "mail.example.com:587"},
        "a mail port that is none": {"smtp_url": "smtp://mail.example.com:abc"},
    }
    own = settings.model_copy(update={"mongo_database": "landfall", "start_timeout": 0.5, **given[what]})
    # Listening comes last, and needs no services of its own.
    start = process.listening(replace(services, settings=own)) if own.host != settings.host else None
    with pytest.raises(NotReady) as refused:
        await (start or lifespan.services(own)).__aenter__()
    assert SAID_TOO[what].format(**ports) in str(refused.value)


def test_a_setting_that_cannot_be_is_named_and_not_shown() -> None:
    done = all_done(
        {
            "port": partial(landfall, "serve", "--port", "99999"),
            "host": partial(landfall, "serve", PORT="tcp://10.0.0.7:8000"),
            "list": partial(landfall, "worker", RP_ORIGINS="https://app.example.com"),
            "level": partial(landfall, "serve", LOG_LEVEL="hush-hush"),
            "unset": partial(landfall, "worker"),
        }
    )
    assert "Invalid value for '--port'" in done["port"].stderr
    assert "65535" in done["port"].stderr
    assert done["port"].returncode == 2
    assert done["host"].stderr == (
        "LANDFALL_PORT: Input should be a valid integer, unable to parse string as an integer. "
        "Kubernetes set it for a Service named landfall: set enableServiceLinks: false in the pod\n"
    )
    assert done["list"].stderr == (
        'LANDFALL_RP_ORIGINS: Write it as a JSON list, ["https://app.example.com"]\n'
    )
    assert done["level"].stderr.startswith("LANDFALL_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING'")
    assert "hush" not in done["level"].stderr
    assert done["unset"].stderr == "Set LANDFALL_MONGO_URL and LANDFALL_REDIS_URL, or run `landfall dev`.\n"
    for name in ("host", "list", "level", "unset"):
        assert done[name].returncode == 1, name


def test_a_variable_that_is_no_setting_is_named_with_the_nearest() -> None:
    done = landfall(
        "serve",
        MONGO_URI="mongodb://db.internal/",
        TRUST_PROXIES="1",
        WHATEVER="1",
        # What Kubernetes tells of a Service named landfall-redis, and what the embedded servers read.
        REDIS_PORT="tcp://10.0.0.8:6379",
        REDIS_SERVICE_HOST="10.0.0.8",
        REDIS_PORT_6379_TCP_ADDR="10.0.0.8",
        MONGOD="/usr/bin/mongod",
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "LANDFALL_MONGO_URI is no setting of Landfall: is LANDFALL_MONGO_URL meant?",
        "LANDFALL_TRUST_PROXIES is no setting of Landfall: is LANDFALL_TRUST_PROXY meant?",
        "LANDFALL_WHATEVER is no setting of Landfall.",
        "Set LANDFALL_MONGO_URL and LANDFALL_REDIS_URL, or run `landfall dev`.",
    ]


def test_the_version_is_told_and_roles_are_listed() -> None:
    done = all_done(
        {"version": partial(landfall, "--version"), "roles": partial(landfall, "roles", "--help")}
    )
    assert done["version"].stdout == f"Landfall {VERSION}\n"
    for role in ("MEMBER", "PROVIDER", "OPERATOR", "MODERATOR", "AUDITOR", "ADMIN"):
        assert role in done["roles"].stdout


@pytest.mark.parametrize("loaded", ["pydantic_core", "pymongo", "aiohttp", "uvloop"])
def test_ctrl_c_while_it_starts_ends_it_with_a_word(servers: Servers, tmp_path: Path, loaded: str) -> None:
    """At the moment when that library has just been loaded: each is further into the start."""
    settings = {
        "MONGO_URL": servers.mongo_url,
        # One that answers nothing keeps it starting.
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MONGO_DATABASE": "starting",
        "DATA_DIR": str(tmp_path),
        "PORT": "0",
    }
    with subprocess.Popen(
        [LANDFALL, "serve"],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as starting:
        maps = Path(f"/proc/{starting.pid}/maps")
        deadline = time.monotonic() + 60
        while loaded not in maps.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        starting.send_signal(2)
        printed, said = starting.communicate(timeout=30)
    assert "Traceback" not in printed + said
    assert said.splitlines()[-1] == "Stopped."
    assert starting.returncode == 130
