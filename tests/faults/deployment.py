"""Landfall as real processes over a three-member replica set, to be killed and stopped."""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from core.context import Services
from core.settings import Environment, Settings
from devstack.process import free_port
from devstack.servers import Servers
from resolvers.auth.signing import make_signing_key
from tests.phone import Phone, make_user, sign_in_directly

SECRET = "a secret of the fault tests, long enough"
READY_SECONDS = 90
RATE_SCALE = 0.5
"""Rate limits are halved, so that phones meet them."""


@dataclass
class Process:
    """One `landfall` command; killed and started again on the same port."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = [sys.executable, "-m", "server", *self.arguments]
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.running = subprocess.Popen(command, env=environment, stderr=log, stdout=log)

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def stop(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Deployment:
    """Two web processes and a worker."""

    servers: Servers
    folder: Path
    webs: list[Process] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    worker: Process | None = None

    def environment(self, **more: str) -> dict[str, str]:
        key = self.folder / "key.pem"
        if not key.exists():
            key.write_bytes(make_signing_key())
        return {
            "LANDFALL_ENV": "test",
            "LANDFALL_MONGO_URL": self.servers.mongo_url,
            "LANDFALL_REDIS_URL": self.servers.redis_url,
            "LANDFALL_SECRET": SECRET,
            "LANDFALL_SIGNING_KEY_FILE": str(key),
            "LANDFALL_RATE_SCALE": str(RATE_SCALE),
            "LANDFALL_LOG_LEVEL": "WARNING",
            "LANDFALL_START_TIMEOUT": str(READY_SECONDS),
            **more,
        }

    @property
    def settings(self) -> Settings:
        """Those of a Landfall in this process, beside the others: it looks at what they keep."""
        return Settings(
            env=Environment.TEST,
            mongo_url=self.servers.mongo_url,
            redis_url=self.servers.redis_url,
            secret=SECRET,
            signing_key_file=self.folder / "key.pem",
            start_timeout=READY_SECONDS,
            rate_scale=10_000,
        )

    async def phones(self, services: Services, http: aiohttp.ClientSession, count: int) -> list[Phone]:
        """Sign in `count` people at the first process."""
        url = f"http://127.0.0.1:{self.ports[0]}/graphql"
        people = [await make_user(services, f"Phone {number}") for number in range(count)]
        return [await sign_in_directly(services, Phone(http, url), person) for person in people]

    def start(self) -> None:
        for number in range(2):
            port = free_port()
            environment = self.environment(LANDFALL_PORT=str(port))
            self.ports.append(port)
            self.webs.append(Process(["serve"], environment, self.folder / f"web-{number}.log"))
        self.worker = Process(["worker"], self.environment(), self.folder / "worker.log")
        for process in [*self.webs, self.worker]:
            process.start()

    def stop(self) -> None:
        for process in [*self.webs, *([self.worker] if self.worker else [])]:
            process.stop()

    def address(self, rng: random.Random) -> str:
        return f"http://127.0.0.1:{rng.choice(self.ports)}/graphql"

    async def ready(self, http: aiohttp.ClientSession) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for port in self.ports:
            while not await ready(http, port):
                if time.monotonic() > deadline:
                    logs = "\n".join(web.log.read_text()[-2_000:] for web in self.webs)
                    raise TimeoutError(f"port {port} is not ready\n{logs}")
                await asyncio.sleep(0.1)


async def ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz", timeout=aiohttp.ClientTimeout(2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@dataclass
class Saboteur:
    """Breaks one thing after another, never two at once; counts what it did."""

    deployment: Deployment
    rng: random.Random
    done: dict[str, int] = field(default_factory=dict)

    async def work(self, until: float) -> None:
        faults = [self.kill_web, self.step_down, self.flush_redis, self.stop_redis, self.kill_member]
        turn = 0
        while time.monotonic() < until:
            fault = faults[turn % len(faults)]
            turn += 1
            name = fault.__name__
            self.done[name] = self.done.get(name, 0) + 1
            await fault()
            await asyncio.sleep(self.rng.uniform(0.3, 1.0))

    async def kill_web(self) -> None:
        web = self.rng.choice(self.deployment.webs)
        web.kill()
        await asyncio.sleep(0.3)
        web.start()
        await asyncio.sleep(1.0)

    async def step_down(self) -> None:
        await asyncio.to_thread(self.deployment.servers.mongo.step_down)

    async def kill_member(self) -> None:
        mongo = self.deployment.servers.mongo
        primary = await asyncio.to_thread(mongo.wait_for_primary)
        mongo.kill(primary)
        await asyncio.to_thread(mongo.wait_for_primary, other_than=primary)
        # On this thread: a member started from a passing one would die with it.
        mongo.restart(primary)

    async def flush_redis(self) -> None:
        await asyncio.to_thread(self.deployment.servers.redis.flush)

    async def stop_redis(self) -> None:
        redis = self.deployment.servers.redis
        await asyncio.to_thread(redis.stop)
        await asyncio.sleep(0.5)
        redis.start()
