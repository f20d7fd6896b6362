"""Caches across callers: what is cached for one must not answer, or pay, for another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from core import clock
from core.context import Context, Services, Viewer
from core.errors import RateLimited
from core.graphql.build import Schema
from core.settings import Settings
from core.sync.shared_context import AnonymousContext, ViewerDependent
from executor import Executor
from executor.streams import Level, Subscription
from server import lifespan
from server.operation_limits import LEASE, OperationLimits
from tests.conftest import NewPhone
from tests.feed.steps import comment, publish
from tests.media.steps import medium
from tests.phone import SUBPROTOCOL, Phone, Socket, key
from tests.server.conftest import Configured

FEED = "query($n: Int) { viewer { feed(first: $n) { edges { node { author { id } } } } } }"
COST = 1 + 24 * 4
PICTURES = """subscription($id: ID!) { postEvents(postId: $id) {
  ... on CommentCreated { commentEdge { node { text author { avatar { url } } } } } } }"""


@pytest.fixture(scope="module")
def schema() -> Schema:
    return lifespan.make_schema(Settings())


async def test_the_short_way_takes_from_what_was_taken_in_advance(services: Services, schema: Schema) -> None:
    gate = OperationLimits(schema, Settings(cost_per_minute=10_000), services.limits)
    ctx = Context(services, address=f"address {key()}")
    charge = await gate.charge(ctx, 50)
    left = charge.left
    assert left == 10_000 * LEASE
    for _ in range(3):
        assert gate.try_charge_locally(ctx, 60)
        left -= 60
        assert gate._leases.get(f"ip:{ctx.address}").left == left  # type: ignore[union-attr]
    # No more than there is, and nothing is taken then.
    assert not gate.try_charge_locally(ctx, left + 1)
    assert gate.try_charge_locally(ctx, left)
    assert not gate.try_charge_locally(ctx, 1)


async def test_an_ordinary_query_repeated_uses_its_budget_up(
    configured: Configured, new_phone: NewPhone
) -> None:
    token = (await new_phone()).token
    async with configured(cost_per_minute=1_000) as phone:
        phone.token = token
        codes = [(await phone.ask(FEED, n=24)).code for _ in range(14)]
    allowed = codes.index("RATE_LIMITED")
    assert codes == [None] * allowed + ["RATE_LIMITED"] * (14 - allowed)
    # Some is taken in advance and left over, reading was charged once, and a little comes back meanwhile.
    assert 7 <= allowed <= 1_000 // COST + 1


@pytest.mark.parametrize("unsound", ["{ " + "id " * 900 + "} }", "{ " + "nobody " * 90 + "}"])
async def test_an_unsound_document_is_paid_for_each_time(
    configured: Configured, new_phone: NewPhone, unsound: str
) -> None:
    """One of 32 KB took a tenth of a second for every request, and cost nothing but for the first."""
    token = (await new_phone()).token
    async with configured(cost_per_minute=1_000) as phone:
        phone.token = token
        codes = [(await phone.ask(unsound)).code for _ in range(20)]
    assert set(codes) == {"BAD_USER_INPUT", "RATE_LIMITED"}
    assert codes == sorted(codes, key=str)


async def test_a_debt_beyond_the_whole_budget_is_paid_by_waiting(services: Services, schema: Schema) -> None:
    """Whoever was served more than the budget of a minute was refused for as long as the process ran."""
    gate = OperationLimits(schema, Settings(cost_per_minute=1_000), services.limits)
    ctx = Context(services, address=f"address {key()}")
    await gate.charge(ctx, 10)
    ctx.served = 5_000
    gate.settle(ctx, 10)
    with pytest.raises(RateLimited):
        await gate.charge(ctx, 10)
    clock.shift(timedelta(seconds=61))
    assert (await gate.charge(ctx, 10)).left == 1_000 * LEASE


async def test_what_was_served_beyond_the_charge_is_a_debt(services: Services, schema: Schema) -> None:
    gate = OperationLimits(schema, Settings(cost_per_minute=1_000), services.limits)
    ctx = Context(services, address=f"address {key()}")
    await gate.charge(ctx, 10)
    ctx.served = 950
    assert gate.settle(ctx, 10) == 950
    with pytest.raises(RateLimited) as refused:
        await gate.charge(ctx, 100)
    assert refused.value.extensions["retryAfterSeconds"] >= 1
    ctx.served = 5
    assert gate.settle(ctx, 10) == 10


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("condition", ["", " @include(if: $yes)"])
async def test_two_operations_of_one_document_have_plans_of_their_own(
    services: Services, schema: Schema, new_phone: NewPhone, condition: str
) -> None:
    ada = await new_phone("Ada")
    viewer = Viewer(ada.user_id, ada.session_id, ada.device_id)
    declared = "($yes: Boolean!)" if condition else ""
    document = (
        f"query A{declared} {{ viewer {{ user {{ name{condition} }} }} }} "
        f"query B{declared} {{ viewer {{ user {{ id{condition} }} }} }}"
    )
    executor = Executor(schema, eager=True)
    found = []
    for name in ("A", "B", "A"):
        variables = {"yes": True} if condition else {}
        answer = await executor.run(document, variables, name, Context(services, viewer=viewer))
        assert answer is not None
        found.append(answer.data["viewer"]["user"])  # type: ignore[index]
    assert found == [{"name": "Ada"}, {"id": ada.user_id}, {"name": "Ada"}]


@asynccontextmanager
async def watching(phone: Phone, host: str, post: str) -> AsyncIterator[Socket]:
    """A socket of somebody who reached us by that name."""
    headers = {"Host": host}
    async with phone.http.ws_connect(phone.url, protocols=[SUBPROTOCOL], headers=headers) as connection:
        socket = Socket(connection)
        await socket.send({"type": "connection_init", "payload": {"accessToken": phone.token}})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe(PICTURES, id=post)
        yield socket


async def picture(socket: Socket) -> str:
    while True:
        event = (await socket.receive())["payload"]["data"]["postEvents"]
        if "commentEdge" in event:
            url: str = event["commentEdge"]["node"]["author"]["avatar"]["url"]
            return url


async def test_a_shared_event_names_each_reader_s_own_address(
    services: Services, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone("Grace")
    avatar = await medium(services, other.user_id)
    update = {"q": {"_id": other.user_id}, "u": {"$set": {"avatar_id": avatar}}}
    await services.db.write({"update": "users", "updates": [update]})
    post = await publish(ada)
    async with watching(ada, "one.example", post) as one, watching(ada, "two.example", post) as two:
        await comment(other, post, "Hello")
        urls = await asyncio.gather(picture(one), picture(two))
    assert [url.split("/")[2] for url in urls] == ["one.example", "two.example"]


async def test_an_answer_that_asked_for_the_viewer_is_not_shared_even_if_nobody_noticed(
    services: Services,
) -> None:
    def complete(ctx: Context, values: Any, events: list[Any]) -> list[Any]:
        try:
            name = ctx.viewer_id_or_none
        except ViewerDependent:
            # As something optional would go on without.
            name = None
        return [{"viewer": name} for _ in events]

    running = object.__new__(Subscription)
    running._values = None
    running._topic = SimpleNamespace(response_key="a")  # type: ignore[assignment]
    level = Level(complete, waits=False)
    with pytest.raises(ViewerDependent):
        await running._completed(level, AnonymousContext(services), {})
    own = await running._completed(level, Context(services, viewer=Viewer("user_1", "s", "d")), {})
    assert own.errors is None
