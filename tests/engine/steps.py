"""Steps shared by the tests of the engine."""

import asyncio
from typing import Literal

from tests.phone import Phone


class Hold(asyncio.Event):
    """Barrier: holds work at a point until it is set; `reached` is set once something waits there."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


async def post(phone: Phone, visibility: str = "PUBLIC", text: str = "Hello") -> str:
    payload = await phone.do("createPost", "post { id }", text=text, visibility=visibility)
    return str(payload["post"]["id"])


async def comment(phone: Phone, post_id: str, text: str) -> str:
    payload = await phone.do("createComment", "comment { id }", postId=post_id, text=text)
    return str(payload["comment"]["id"])


async def befriend(one: Phone, other: Phone) -> None:
    await one.do("followUser", "viewer { id }", userId=other.user_id)
    await other.do("followUser", "viewer { id }", userId=one.user_id)
