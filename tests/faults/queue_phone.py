"""A phone with an offline queue: acts, retries under the same keys, syncs, and models what it did."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from core import ids
from resolvers.chat.sending import MESSAGE_RATE
from resolvers.feed.comments import COMMENT_RATE
from resolvers.feed.graph import FOLLOW_RATE
from resolvers.feed.posts import POST_RATE
from resolvers.feed.reactions import REACTION_RATE
from tests.engine.flushes import Act, Queue, document
from tests.faults.deployment import RATE_SCALE, Deployment
from tests.phone import deleted_ids, key

KINDS = ["LIKE", "LOVE", "WOW", None]
MOST = 50
"""Acts of one document."""
RATES = {
    "createPost": POST_RATE,
    "createComment": COMMENT_RATE,
    "setReaction": REACTION_RATE,
    "followUser": FOLLOW_RATE,
}
"""Rates that bound what a phone queues: a queue beyond them would outlast the test."""
ENOUGH_MESSAGES = 45
"""Of one phone: more than its rate allows at once, and no more than a first sync has of a chat."""
MESSAGES_AT_ONCE = int(MESSAGE_RATE.count * RATE_SCALE)
LONGEST_WAIT = 2.0
HOT = 0.5
"""Share of comments and reactions that go to the first post: contention."""

DELTA = """query($since: SyncToken, $first: Int!) { viewer { changes(since: $since, limit: $first) {
  nodes { id __typename ... on Post { text version visibility commentCount reactionSummary { count } }
    ... on Comment { text version } ... on Follow { status version user { id } } }
  deleted { id } token hasMore reset } } }"""


@dataclass
class Action(Act):
    """One queued mutation; `result` is its acknowledged payload."""

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
    queue: Queue = field(default_factory=Queue)
    replica: dict[str, Any] = field(default_factory=dict)
    since: str | None = None
    cuts: int = 0
    flushes: int = 0
    problem: Any = None
    chat_id: str = field(default_factory=lambda: ids.new_id("chat"))
    said: list[str] = field(default_factory=list)
    """Ids of its messages in the order in which they were queued."""
    acts: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> list[Any]:
        """Its acts in the order in which they were acknowledged."""
        return [act for act, _ in self.queue.done]

    def open_chat(self) -> None:
        opened = {"id": self.chat_id, "userId": self.rng.choice(self.others)}
        self.queue.waiting.append(Action("createChat", opened, "chat { id }"))

    async def say_too_much(self) -> None:
        """Send more messages at once than its rate allows."""
        self.queue.waiting.extend(self._message() for _ in range(MESSAGES_AT_ONCE + 4))
        await self.flush()

    async def live(self, until: float) -> None:
        while time.monotonic() < until:
            # A queue that only grows would say how fast the machine is, long after the last fault.
            if len(self.queue.waiting) < MOST // 2:
                for _ in range(self.rng.choices([1, self.rng.randint(2, 8), MOST], [50, 40, 10])[0]):
                    self.queue.waiting.extend(self._act())
            await self.flush()
            if self.rng.random() < 0.3:
                await self.sync(self.rng.choice([2, 7, 50]))
            await asyncio.sleep(self.rng.uniform(0, 0.05))

    def _act(self) -> list[Action]:
        """Something people do; texts are unique, so that a doubled write shows."""
        choice = self.rng.random()
        if choice < 0.15 and self._wants("createPost"):
            return self._post_and_comment()
        if choice < 0.35 and self.subjects and self._wants("createComment"):
            input = {"postId": self._subject(), "text": f"comment {key()}"}
            return [Action("createComment", input, "comment { id text }")]
        if choice < 0.65 and len(self.said) < ENOUGH_MESSAGES:
            return [self._message()]
        if choice < 0.85 and self.subjects and self._wants("setReaction"):
            input = {"subjectId": self._subject(), "kind": self.rng.choice(KINDS)}
            shown = "subject { ... on Post { reactionSummary { viewerReaction } } }"
            return [Action("setReaction", input, shown)]
        if not self._wants("followUser"):
            return []
        name = self.rng.choice(["followUser", "unfollowUser"])
        return [Action(name, {"userId": self.rng.choice(self.others)}, "user { id }")]

    def _message(self) -> Action:
        self.said.append(ids.new_id("message"))
        input = {"chatId": self.chat_id, "id": self.said[-1], "text": f"Number {len(self.said)}"}
        return Action("sendMessage", input, "message { id }")

    def _subject(self) -> str:
        return self.subjects[0] if self.rng.random() < HOT else self.rng.choice(self.subjects)

    def _wants(self, name: str) -> bool:
        """True if the rate allows one more by now."""
        rate = RATES[name]
        periods = 1 + (time.monotonic() - self.started) / rate.seconds
        wants = self.acts[name] < 0.9 * periods * rate.count * RATE_SCALE
        self.acts[name] += wants
        return wants

    def _post_and_comment(self) -> list[Action]:
        """A post, and often a comment on it before the server knows of it."""
        id = ids.new_id("post")
        post = {"id": id, "text": f"post {key()}", "visibility": "PUBLIC"}
        comment = {"postId": id, "text": f"comment {key()}"}
        acts = [Action("createPost", post, "post { id text }")]
        if self._wants("createComment"):
            acts.append(Action("createComment", comment, "comment { id text }"))
        return acts

    async def flush(self) -> None:
        """Send the head of the queue as one document; what has to come again keeps its place."""
        batch = self.queue.head(MOST)
        if not batch:
            return
        self.flushes += 1
        settled = len(self.queue.done)
        wait = self.queue.settle(batch, await self._send(batch))
        for act in batch:
            act.attempts += 1  # type: ignore[attr-defined]
        for act, payload in self.queue.done[settled:]:
            act.result = payload  # type: ignore[attr-defined]
            if act.mutation == "createPost" and payload["post"]:
                self.subjects.append(payload["post"]["id"])
        if self.queue.waiting:
            await asyncio.sleep(min(LONGEST_WAIT, max(wait, self.rng.uniform(0.05, 0.3))))

    async def _send(self, batch: list[Any]) -> dict[str, Any] | None:
        query, values = document(batch)
        # One in ten connections is cut: perhaps before the request arrives, perhaps in the middle.
        cut = self.rng.random() < 0.1
        self.cuts += cut
        timeout = self.rng.choice([self.rng.uniform(0.001, 0.03), self.rng.uniform(0, 0.5)]) if cut else 15.0
        return await self._ask(query, values, timeout=timeout)

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
            for id in deleted_ids(page):
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
                    return await response.json()
        except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError):
            return None

    async def drain(self, until: float) -> None:
        """After the faults: everything that is queued lands."""
        while self.queue.waiting:
            if time.monotonic() > until:
                left = [act.mutation for act in self.queue.waiting]
                raise TimeoutError(f"{len(left)} acts are still queued, {left[:3]}: {self.queue.told}")
            await self.flush()

    async def replay(self) -> list[dict[str, Any]]:
        """Send everything again under its old keys; the payloads."""
        payloads = []
        for start in range(0, len(self.done), MOST):
            batch = self.done[start : start + MOST]
            answer = None
            while answer is None:
                answer = await self._ask_again(batch)
            payloads += [answer["data"][f"m{index}"] for index in range(len(batch))]
        return payloads

    async def _ask_again(self, batch: list[Any]) -> Any:
        answer = await self._send(batch)
        data = (answer or {}).get("data") or {}
        complete = all(data.get(f"m{i}") for i in range(len(batch)))
        return answer if complete else None
