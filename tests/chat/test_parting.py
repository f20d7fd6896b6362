"""Race of a message with a block: one comes first, and the other sees it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.context import Context, Services, Viewer
from core.errors import UserError
from core.ids import Id
from resolvers.chat import sending
from resolvers.feed import graph
from tests.chat.steps import history, stored, talk
from tests.conftest import NewPhone
from tests.phone import Phone

Work = Callable[[Context], Awaitable[Any]]


def acting(services: Services, phone: Phone) -> Context:
    return Context(services, viewer=Viewer(phone.user_id, phone.session_id, phone.device_id))


class Race:
    """Two units: the second begins when the first has done its work and not committed it yet."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def run(self, first: tuple[str, Context, Work], second: tuple[str, Context, Work]) -> None:
        worked = asyncio.Event()

        async def work() -> None:
            await first[2](first[1])
            worked.set()
            await asyncio.sleep(0.15)

        async def follow() -> None:
            await worked.wait()
            await self._end(second[0], second[1].unit(lambda: second[2](second[1])))

        await asyncio.gather(self._end(first[0], first[1].unit(work)), follow())

    async def _end(self, name: str, unit: Awaitable[Any]) -> None:
        try:
            await unit
            self.ended.append(name)
        except UserError as refusal:
            self.ended.append(refusal.code)


@pytest.mark.parametrize("said", ["sent", "edited"])
@pytest.mark.parametrize("who_blocks", ["writer", "reader"])
@pytest.mark.parametrize("block_first", [True, False])
async def test_nothing_is_said_beside_a_block(
    new_phone: NewPhone, services: Services, said: str, who_blocks: str, block_first: bool
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [message_id] = await talk(ada, grace)

    async def say(ctx: Context) -> None:
        if said == "sent":
            await sending.send_message(ctx, chat_id=Id(chat_id), text="Second")
        else:
            await sending.update_message(ctx, message_id=Id(message_id), text="Second")

    blocker, blocked = (ada, grace) if who_blocks == "writer" else (grace, ada)

    async def block(ctx: Context) -> None:
        await graph.block_user(ctx, user_id=Id(blocked.user_id))

    saying = (said, acting(services, ada), say)
    blocking = ("blocked", acting(services, blocker), block)
    race = Race()
    await race.run(*((blocking, saying) if block_first else (saying, blocking)))
    assert race.ended == (["blocked", "BLOCKED"] if block_first else [said, "blocked"])
    assert ("Second" in await history(grace, chat_id)) is not block_first
    assert len(await stored(services, "blocks", user_id=blocker.user_id)) == 1
