"""The table of idempotency for both kinds of mutations: in one transaction, and under a lease."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services, Viewer
from core.errors import IdempotencyInProgress, IdempotencyKeyReused, UserError
from core.ids import new_id
from core.mutations import idempotency
from core.mutations.idempotency import KEPT, LEASE, Mutation
from tests.engine.steps import Hold
from tests.phone import key

ANCHORS = "anchors_of_tests"
SHORT = timedelta(seconds=10)


class Bay:
    """A mutation of one kind, whose resolver does as the test says, and what it wrote."""

    def __init__(self, services: Services, transaction: bool) -> None:
        self.services, self.transaction = services, transaction
        self.mutation = Mutation(
            "dropAnchor", self.drop, transaction=transaction, refuses=("STEP_UP_REQUIRED", "UPLOAD_NOT_READY")
        )
        self.outcome: Exception | None = None
        self.hold: Hold | None = None

    async def drop(self, ctx: Context, *, depth: int) -> dict[str, Any]:
        if self.hold is not None:
            await self.hold.wait()
        if self.outcome is not None:
            raise self.outcome

        async def write() -> None:
            row = {"_id": new_id("anchor"), "user_id": ctx.viewer_id, "depth": depth}
            await ctx.db.write({"insert": ANCHORS, "documents": [row]})

        await (write() if self.transaction else ctx.unit(write))
        return {"depth": depth}

    async def run(self, viewer: Viewer, once: str, *, depth: int = 7, of: Mutation | None = None) -> Any:
        ctx = Context(self.services, viewer=viewer)
        return await idempotency.run(ctx, of or self.mutation, once, {"depth": depth})

    async def written(self, viewer: Viewer) -> int:
        return len(await self.services.db.find(ANCHORS, {"user_id": viewer.user_id}))

    async def receipt(self, viewer: Viewer, once: str) -> Any:
        return await idempotency.receipts.by_id(self.services.db, f"{viewer.user_id}:{once}")


@pytest.fixture(params=[True, False], ids=["transaction", "leased"])
async def bay(request: pytest.FixtureRequest, services: Services) -> Bay:
    row = {"_id": "first", "user_id": "", "depth": 0}
    write = {"update": ANCHORS, "updates": [{"q": {"_id": "first"}, "u": row, "upsert": True}]}
    await services.db.write(write)
    return Bay(services, request.param)


@pytest.fixture
def ada() -> Viewer:
    return Viewer(new_id("user"), new_id("session"), new_id("device"))


def lasts(receipt: Any, seconds: timedelta) -> bool:
    return abs(receipt["expires_at"] - clock.now() - seconds) < SHORT


async def test_done_once_and_told_again(bay: Bay, ada: Viewer) -> None:
    once = key()
    first = await bay.run(ada, once)
    assert first == {"errors": [], "depth": 7, "idempotency_key": once, "replayed": False}
    # By another session of the same person too.
    tablet = Viewer(ada.user_id, new_id("session"), new_id("device"))
    assert await bay.run(tablet, once) == {**first, "replayed": True}
    assert await bay.written(ada) == 1
    receipt = await bay.receipt(ada, once)
    assert (receipt["state"], receipt["payload"], lasts(receipt, KEPT)) == ("DONE", {"depth": 7}, True)


async def test_the_same_key_concurrently(bay: Bay, ada: Viewer) -> None:
    once = key()
    told = await asyncio.gather(*(bay.run(ada, once) for _ in range(8)))
    assert sorted(each["replayed"] for each in told) == [False, *[True] * 7]
    assert await bay.written(ada) == 1


async def test_a_key_is_its_owners_alone(bay: Bay, ada: Viewer) -> None:
    grace, once = Viewer(new_id("user"), "", ""), key()
    told = [await bay.run(viewer, once) for viewer in (ada, grace)]
    assert [each["replayed"] for each in told] == [False, False]
    assert [await bay.written(viewer) for viewer in (ada, grace)] == [1, 1]


async def test_another_input_or_mutation_under_the_key(bay: Bay, ada: Viewer) -> None:
    once = key()
    await bay.run(ada, once)
    with pytest.raises(IdempotencyKeyReused):
        await bay.run(ada, once, depth=8)
    other = Mutation("weighAnchor", bay.drop, transaction=bay.transaction)
    with pytest.raises(IdempotencyKeyReused):
        await bay.run(ada, once, of=other)
    assert await bay.written(ada) == 1


async def test_a_final_refusal_is_stored_and_told_again(bay: Bay, ada: Viewer) -> None:
    once, bay.outcome = key(), UserError("INVALID_INPUT", "Too deep.", field=["depth"])
    first = await bay.run(ada, once)
    bay.outcome = None
    assert await bay.run(ada, once) == {**first, "replayed": True}
    assert [error["code"] for error in first["errors"]] == ["INVALID_INPUT"]
    assert await bay.written(ada) == 0
    receipt = await bay.receipt(ada, once)
    assert (receipt["state"], lasts(receipt, KEPT)) == ("DONE", True)


@pytest.mark.parametrize("code", ["RATE_LIMITED", "UNAVAILABLE", "STEP_UP_REQUIRED", "UPLOAD_NOT_READY"])
async def test_a_refusal_that_may_come_again_leaves_nothing(bay: Bay, ada: Viewer, code: str) -> None:
    once, bay.outcome = key(), UserError(code, "Not now.")
    assert [error["code"] for error in (await bay.run(ada, once))["errors"]] == [code]
    assert await bay.receipt(ada, once) is None
    bay.outcome = None
    landed = await bay.run(ada, once)
    assert (landed["errors"], landed["replayed"]) == ([], False)
    assert await bay.written(ada) == 1


async def test_a_first_run_that_takes_long(bay: Bay, ada: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", 0.1)
    once, bay.hold = key(), Hold()
    first = asyncio.create_task(bay.run(ada, once))
    await bay.hold.reached.wait()
    with pytest.raises(IdempotencyInProgress):
        await bay.run(ada, once)
    if not bay.transaction:
        running = await bay.receipt(ada, once)
        assert (running["state"], lasts(running, LEASE)) == ("RUNNING", True)
    bay.hold.set()
    assert (await first)["replayed"] is False
    assert (await bay.run(ada, once))["replayed"] is True
    assert await bay.written(ada) == 1
    assert lasts(await bay.receipt(ada, once), KEPT)


async def test_a_run_that_died(bay: Bay, ada: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction leaves nothing; under a lease the outside may have been reached: it waits."""
    monkeypatch.setattr(idempotency, "PATIENCE", 0.1)
    once, bay.outcome = key(), RuntimeError("The power went.")
    with pytest.raises(RuntimeError):
        await bay.run(ada, once)
    bay.outcome = None
    if not bay.transaction:
        with pytest.raises(IdempotencyInProgress):
            await bay.run(ada, once)
        assert lasts(await bay.receipt(ada, once), LEASE)
        clock.shift(LEASE + timedelta(seconds=1))
    assert (await bay.run(ada, once))["replayed"] is False
    assert (await bay.run(ada, once))["replayed"] is True
    assert await bay.written(ada) == 1


async def test_an_expired_receipt_is_none(bay: Bay, ada: Viewer) -> None:
    once = key()
    await bay.run(ada, once)
    clock.shift(KEPT - timedelta(minutes=1))
    assert (await bay.run(ada, once))["replayed"] is True
    clock.shift(timedelta(minutes=2))
    assert (await bay.run(ada, once))["replayed"] is False
    assert await bay.written(ada) == 2
