"""A phone with an offline queue: acts, retries under the same keys, syncs, and models what it did."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.faults.deployment import Deployment
from tests.phone import key

KINDS = ["LIKE", "LOVE", "WOW", None]
BATCH = 4
RETRIED = {"UNAVAILABLE", "TIMEOUT", "INTERNAL", "IDEMPOTENCY_IN_PROGRESS", "RATE_LIMITED"}

DELTA = """query($since: SyncToken, $first: Int!) { viewer { changes(since: $since, first: $first) {
  nodes { id __typename ... on Post { text version visibility commentCount reactionSummary { total } }
    ... on Comment { body: text version } ... on Follow { state version user { id } } }
  deletedIds token hasMore reset } } }"""


@dataclass
class Action:
    """One queued mutation; `result` is its first acknowledged payload."""

    mutation: str
    input: dict[str, Any]
    selection: str
    attempts: int = 0
    result: dict[str, Any] | None = None


@dataclass
class QueuePhone:
    deployment: Deployment
    http: aiohttp.ClientSession
    user_id: str
    token: str
    rng: random.Random
    others: list[str]
    subjects: list[str]
    queue: deque[Action] = field(default_factory=deque)
    done: list[Action] = field(default_factory=list)
    replica: dict[str, Any] = field(default_factory=dict)
    since: str | None = None
    cuts: int = 0
    problem: Any = None

    async def live(self, until: float) -> None:
        while time.monotonic() < until:
            for _ in range(self.rng.randint(1, BATCH)):
                self.queue.append(self._act())
            await self.flush()
            if self.rng.random() < 0.3:
                await self.sync(self.rng.choice([2, 7, 50]))
            await asyncio.sleep(self.rng.uniform(0, 0.05))

    def _act(self) -> Action:
        """Something people do; texts are unique, so that a doubled write shows."""
        choice = self.rng.random()
        if choice < 0.35 or not self.subjects:
            text = f"post {key()}"
            return Action("createPost", {"text": text, "visibility": "PUBLIC"}, "post { id text }")
        subject = self.rng.choice(self.subjects)
        if choice < 0.65:
            input = {"postId": subject, "text": f"comment {key()}"}
            return Action("createComment", input, "comment { id text }")
        if choice < 0.85:
            input = {"subjectId": subject, "kind": self.rng.choice(KINDS)}
            return Action("setReaction", input, "reactionSummary { viewerReaction }")
        name = self.rng.choice(["followUser", "unfollowUser"])
        return Action(name, {"userId": self.rng.choice(self.others)}, "user { id }")

    async def flush(self) -> None:
        """Send the head of the queue as one document; what is not answered stays."""
        for action in self.queue:
            action.input.setdefault("clientMutationId", key())
        batch = [self.queue[index] for index in range(min(BATCH, len(self.queue)))]
        answer = await self._send(batch) if batch else None
        for action in batch:
            action.attempts += 1
        if answer is None:
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))
            return
        for index, action in enumerate(batch):
            payload = (answer.get("data") or {}).get(f"m{index}")
            if payload is None or any(error["retryable"] for error in payload["errors"]):
                # In order: what comes later waits for it.
                await asyncio.sleep(0.05)
                return
            action.result = payload
            self.done.append(self.queue.popleft())
            if action.mutation == "createPost" and payload["post"]:
                self.subjects.append(payload["post"]["id"])

    async def _send(self, batch: list[Action]) -> dict[str, Any] | None:
        variables = ", ".join(
            f"$i{index}: {action.mutation[0].upper()}{action.mutation[1:]}Input!"
            for index, action in enumerate(batch)
        )
        fields = " ".join(
            f"m{index}: {action.mutation}(input: $i{index}) "
            f"{{ replayed errors {{ code retryable }} {action.selection} }}"
            for index, action in enumerate(batch)
        )
        values = {f"i{index}": action.input for index, action in enumerate(batch)}
        # One in ten connections is cut: perhaps before the request arrives, perhaps after the commit.
        cut = self.rng.random() < 0.1
        self.cuts += cut
        timeout = self.rng.uniform(0.001, 0.03) if cut else 15.0
        return await self._ask(f"mutation({variables}) {{ {fields} }}", values, timeout=timeout)

    async def sync(self, first: int) -> bool:
        """Read changes until there are no more; False when the server could not be reached."""
        while True:
            answer = await self._ask(DELTA, {"since": self.since, "first": first}, timeout=15.0)
            if answer is None or answer.get("errors"):
                self.problem = answer or self.problem
                return False
            page = answer["data"]["viewer"]["changes"]
            if page["reset"]:
                self.replica.clear()
            for node in page["nodes"]:
                self.replica[node["id"]] = node
            for id in page["deletedIds"]:
                self.replica.pop(id, None)
            self.since = page["token"]
            if not page["hasMore"]:
                return True

    async def _ask(self, query: str, variables: dict[str, Any], *, timeout: float) -> Any:
        try:
            async with asyncio.timeout(timeout):
                async with self.http.post(
                    self.deployment.address(self.rng),
                    json={"query": query, "variables": variables},
                    headers={"Authorization": f"Bearer {self.token}"},
                ) as response:
                    return await response.json() if response.status < 500 else None
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return None

    async def drain(self, until: float) -> None:
        """After the faults: everything that is queued lands."""
        while self.queue:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self.queue)} actions are still queued")
            await self.flush()

    async def replay(self) -> list[dict[str, Any]]:
        """Send everything again under its old keys; the payloads."""
        payloads = []
        for start in range(0, len(self.done), 10):
            batch = self.done[start : start + 10]
            answer = None
            while answer is None:
                answer = await self._ask_again(batch)
            payloads += [answer["data"][f"m{index}"] for index in range(len(batch))]
        return payloads

    async def _ask_again(self, batch: list[Action]) -> Any:
        answer = await self._send(batch)
        data = (answer or {}).get("data") or {}
        complete = all(data.get(f"m{i}") for i in range(len(batch)))
        return answer if complete else None
