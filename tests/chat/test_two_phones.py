"""The proof: two phones with offline queues, cut off, repeating and reordering what they send.

However it goes, both end with the same messages in the same order, none lost and none twice, and the marks of
each are what the other sees.
"""

import asyncio
import os
import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chat.steps import new
from tests.conftest import NewPhone
from tests.phone import Phone, key

EXAMPLES = 150 if os.environ.get("LANDFALL_LONG") else 15

WHO = st.sampled_from([0, 1])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), WHO, st.integers(1, 4)),
        st.tuples(st.just("read"), WHO, st.integers(0, 30)),
        st.tuples(st.just("deliver"), WHO, st.integers(0, 30)),
        st.tuples(
            st.just("flush"), WHO, st.sampled_from(["whole", "cut", "lost", "twice", "shuffled", "batch"])
        ),
        st.tuples(st.just("catch up"), WHO, st.sampled_from(["sequence", "token"])),
    ),
    min_size=4,
    max_size=16,
)

DOCUMENTS = {
    "createChat": "chat { id }",
    "sendMessage": "message { id sequence }",
    "markChatRead": "chat { id readSequence }",
    "markChatsDelivered": "chats { id }",
}
AFTER = """query($id: ID!, $after: Int!) { chat(id: $id) {
  messages(filter: {afterSequence: $after}, first: 100) {
  edges { node { id text sequence } } pageInfo { hasNextPage } } } }"""
SINCE = """query($since: SyncToken) { viewer { changes(since: $since, types: [MESSAGE], limit: 50) {
  nodes { ... on Message { id text sequence } } token hasMore } } }"""
STATE = """query($id: ID!) { chat(id: $id) { id unreadCount lastSequence readSequence deliveredSequence
  peerReadSequence peerDeliveredSequence
  messages(last: 100) { edges { node { id text sequence status sender { id } } } } } }"""


@dataclass
class Replica:
    """A phone, what it still has to send, and what it knows."""

    phone: Phone
    chat_id: str
    queue: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    by_sequence: dict[int, tuple[str, str]] = field(default_factory=dict)
    by_token: dict[int, tuple[str, str]] = field(default_factory=dict)
    token: str | None = None
    read: int = 0

    def enqueue(self, mutation: str, **input: Any) -> None:
        self.queue.append((mutation, {"idempotencyKey": key(), **input}))

    def write(self, count: int) -> None:
        for _ in range(count):
            id = new("message")
            self.written.append(id)
            self.enqueue("sendMessage", id=id, chatId=self.chat_id, text=f"{len(self.written)} of {id}")

    async def send(self, mutation: str, input: dict[str, Any]) -> None:
        done = await self.phone.do(mutation, DOCUMENTS[mutation], **input)
        assert done["errors"] == [], done["errors"]

    async def flush(self, how: str, rng: random.Random) -> None:
        """Send the queue, first in first out; what was not answered stays in it."""
        if how == "batch":
            return await self._flush_as_one()
        while self.queue:
            place = rng.randrange(len(self.queue)) if how == "shuffled" and self._opened else 0
            entry = self.queue[place]
            if how == "cut" and rng.random() < 0.4:
                # Torn off somewhere on the way, there or back.
                try:
                    async with asyncio.timeout(rng.choice([0.0, 0.002, 0.008, 0.02])):
                        await self.send(*entry)
                except TimeoutError:
                    return
            elif how == "twice":
                await asyncio.gather(self.send(*entry), self.send(*entry))
            else:
                await self.send(*entry)
                if how == "lost" and rng.random() < 0.5:
                    return
            self.queue.remove(entry)

    @property
    def _opened(self) -> bool:
        """A phone does not send into a chat it has not opened."""
        return all(mutation != "createChat" for mutation, _ in self.queue)

    async def _flush_as_one(self) -> None:
        """One document, in the order of the queue."""
        entries = list(self.queue)
        for start in range(0, len(entries), 10):
            part = entries[start : start + 10]
            inputs = {f"i{n}": input for n, (_, input) in enumerate(part)}
            types = ", ".join(f"$i{n}: {name[0].upper()}{name[1:]}Input!" for n, (name, _) in enumerate(part))
            fields = " ".join(
                f"m{n}: {name}(input: $i{n}) {{ errors {{ code }} }}" for n, (name, _) in enumerate(part)
            )
            answers = await self.phone.run(f"mutation({types}) {{ {fields} }}", **inputs)
            assert [each["errors"] for each in answers.values()] == [[]] * len(part)
        self.queue = self.queue[len(entries) :]

    async def catch_up(self, way: str) -> None:
        if not self._opened:
            return
        if way == "sequence":
            more = True
            while more:
                known = max(self.by_sequence, default=0)
                page = (await self.phone.run(AFTER, id=self.chat_id, after=known))["chat"]["messages"]
                more = page["pageInfo"]["hasNextPage"]
                for edge in page["edges"]:
                    _take(self.by_sequence, edge["node"])
            return
        more = True
        while more:
            found = (await self.phone.run(SINCE, since=self.token))["viewer"]["changes"]
            self.token, more = found["token"], found["hasMore"]
            for node in found["nodes"]:
                _take(self.by_token, node)


def _take(known: dict[int, tuple[str, str]], node: dict[str, Any]) -> None:
    """A number has one message for good."""
    told = (node["id"], node["text"])
    assert known.setdefault(node["sequence"], told) == told


async def test_two_phones_end_with_the_same_messages(new_phone: NewPhone) -> None:
    loop = asyncio.get_running_loop()
    totals = {"steps": 0, "messages": 0}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS, seed=st.integers(0, 2**32))
    def history(steps: list[tuple[str, int, Any]], seed: int) -> None:
        work = _live_through(steps, random.Random(seed), new_phone, totals)
        asyncio.run_coroutine_threadsafe(work, loop).result(120)

    await asyncio.to_thread(history)
    print(f"\nTwo phones: {totals['steps']} steps, {totals['messages']} messages, none lost, none twice")


async def _live_through(
    steps: list[tuple[str, int, Any]], rng: random.Random, new_phone: NewPhone, totals: dict[str, int]
) -> None:
    phones = [await new_phone("Ada"), await new_phone("Grace")]
    replicas = [Replica(phone, new("chat")) for phone in phones]
    for replica, other in zip(replicas, reversed(phones), strict=True):
        # Both open it offline, each under an id of their own.
        replica.enqueue("createChat", id=replica.chat_id, userId=other.user_id)
    for what, who, how in steps:
        replica = replicas[who]
        if what == "write":
            replica.write(how)
        elif what == "flush":
            await replica.flush(how, rng)
        elif what == "catch up":
            await replica.catch_up(how)
        elif what == "read":
            replica.enqueue("markChatRead", chatId=replica.chat_id, upToSequence=how)
        else:
            marks = [{"chatId": replica.chat_id, "upToSequence": how}]
            replica.enqueue("markChatsDelivered", marks=marks)
    for replica in (*replicas, *replicas):
        await replica.flush("whole", rng)
        await replica.catch_up("sequence")
        await replica.catch_up("token")
    totals["steps"] += len(steps)
    totals["messages"] += sum(len(replica.written) for replica in replicas)
    await _agree(replicas)


async def _agree(replicas: list[Replica]) -> None:
    ours, theirs = replicas
    written = {id for replica in replicas for id in replica.written}
    for known in (ours.by_sequence, ours.by_token, theirs.by_sequence, theirs.by_token):
        assert {id for id, _ in known.values()} == written
        assert len(known) == len(written)
        assert known == ours.by_sequence
    assert sorted(ours.by_sequence) == list(range(1, len(written) + 1))
    states = [(await each.phone.run(STATE, id=each.chat_id))["chat"] for each in replicas]
    assert states[0]["id"] == states[1]["id"]
    assert states[0]["messages"] == states[1]["messages"]
    for mine, peer, other in ((states[0], states[1], theirs), (states[1], states[0], ours)):
        _marks_agree(mine, peer, other.phone.user_id, len(written))


def _marks_agree(mine: dict[str, Any], peer: dict[str, Any], peer_id: str, count: int) -> None:
    """Assert that my receipts are those the other sees, and that my unread messages are counted."""
    assert mine["lastSequence"] == count
    assert mine["readSequence"] <= mine["deliveredSequence"] <= count
    assert peer["peerReadSequence"] == mine["readSequence"]
    assert peer["peerDeliveredSequence"] == mine["deliveredSequence"]
    received = [
        node for edge in mine["messages"]["edges"] if (node := edge["node"])["sender"]["id"] == peer_id
    ]
    for node in received:
        expected = (
            "READ"
            if node["sequence"] <= mine["readSequence"]
            else "DELIVERED"
            if node["sequence"] <= mine["deliveredSequence"]
            else "SENT"
        )
        assert node["status"] == expected
    assert mine["unreadCount"] == sum(node["sequence"] > mine["readSequence"] for node in received)
