"""Answers of MongoDB: read whole and in their order, wherever the network cuts them."""

import asyncio
import itertools
from typing import Any

import pytest

from core.storage.answers import HEADER, Answer, Answers

BODIES = [b"one", b"the second", b"3"]
SENT = b"".join(
    HEADER.pack(HEADER.size + len(body), 900 + number, number, 2013) + body
    for number, body in enumerate(BODIES)
)


class Pipe(asyncio.Transport):
    """Transport that keeps what it is given, and whose other end the test is."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = False
        self.protocol: Any = self
        self.reading = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def resume_reading(self) -> None:
        self.reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.ended

    def abort(self) -> None:
        self.ended = True
        self.protocol.connection_lost(None)


class Driver:
    """The driver's protocol, which is told when its connection is lost."""

    def __init__(self) -> None:
        self.transport = Pipe()
        self.lost = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


async def _asked(driver: Driver) -> tuple[Answers, asyncio.Task[list[Answer]]]:
    answers = Answers(driver, 1000)
    waiting = asyncio.create_task(answers.to(b"questions", [0, 1, 2]))
    await asyncio.sleep(0)
    assert driver.transport.written == [b"questions"]
    return answers, waiting


async def test_cut_anywhere_they_are_the_same() -> None:
    for cuts in itertools.combinations(range(len(SENT) + 1), 2):
        driver = Driver()
        answers, waiting = await _asked(driver)
        for start, end in itertools.pairwise((0, *cuts, len(SENT))):
            answers.data_received(SENT[start:end])
        assert [(each.request_id, each.body) for each in await waiting] == list(enumerate(BODIES))


async def test_the_connection_is_given_back_as_it_came() -> None:
    driver = Driver()
    answers, waiting = await _asked(driver)
    assert (driver.transport.protocol, driver.transport.reading) == (answers, True)
    answers.data_received(SENT)
    await waiting
    answers.give_back()
    assert (driver.transport.protocol, driver.transport.reading) == (driver, False)


@pytest.mark.parametrize(
    "sent",
    [b"", SENT[:20], HEADER.pack(3, 0, 0, 2013), HEADER.pack(100_000, 0, 0, 2013)],
    ids=["nothing", "a part", "shorter than its head", "longer than any may be"],
)
async def test_a_connection_that_ends_or_talks_nonsense_is_an_error(sent: bytes) -> None:
    driver = Driver()
    answers, waiting = await _asked(driver)
    answers.data_received(sent)
    if not driver.transport.ended:
        driver.transport.abort()
    with pytest.raises(OSError, match="connection"):
        await waiting
    with pytest.raises(OSError, match="closed"):
        await answers.to(b"more", [3])
    assert driver.lost == 1


async def test_answers_to_something_else_are_an_error() -> None:
    driver = Driver()
    answers = Answers(driver, 1000)
    waiting = asyncio.create_task(answers.to(b"questions", [0, 2, 1]))
    await asyncio.sleep(0)
    answers.data_received(SENT)
    with pytest.raises(OSError, match="something else"):
        await waiting
