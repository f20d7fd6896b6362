"""Bulkhead of flushes: a process runs a bounded number at once, lets a few wait, and sends the others away.

A flush is a document of several mutations, or an array with any. Each keeps the databases and this process
busy for seconds: many at once slow each other down until none ends in time. A few at once end soon, and light
requests beside them hardly notice.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable

from prometheus_client import Counter as Metric

from core import deadline
from core.context import Context
from core.errors import Busy

REFUSED = Metric("landfall_flushes_refused_total", "Flushes sent away because too many ran.")

PATIENCE = 3.0
"""Seconds that a flush waits for its turn."""
USUAL = 2.0
"""Seconds that a flush is taken to last until some have ended."""
EACH = 2
"""Flushes of one person, or of an address that is not signed in, that run or wait: none takes all slots."""
WEIGHT = 0.2
"""Smoothing factor of the moving average: the weight of the last value."""
LONGEST_AWAY = 60.0
"""Longest `retryAfterSeconds`: clients that retry again and again must not keep others out."""


class Slot:
    """Bulkhead slot: the right to run a flush; released once, if need be by the garbage collector."""

    __slots__ = ("_give_back",)

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()

    def __del__(self) -> None:
        self.release()


class Flushes:
    """Admits flushes, in the order in which they come."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._at_once = at_once
        self._most_waiting = waiting
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._by_caller: Counter[str] = Counter()
        """Flushes that run or wait; who has none is not in it."""
        self._usual = USUAL
        self._promised = 0.0
        """End of the latest retry time that was given out."""

    async def admit(self, ctx: Context, mutations: int) -> None:
        """Take a slot for the operation's flush, if it is one; Busy when there is none to be had soon."""
        if not mutations:
            return
        flush = ctx.flush
        if flush.slot is None and (mutations > 1 or flush.is_array):
            flush.slot = await self._slot(ctx.viewer_id_or_none or f"ip:{ctx.network}")

    async def _slot(self, caller: str) -> Slot:
        if self._by_caller[caller] >= EACH:
            raise self._busy()
        self._by_caller[caller] += 1
        try:
            return await self._slot_in_turn(caller)
        except BaseException:
            self._left(caller)
            raise

    def _left(self, caller: str) -> None:
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]

    async def _slot_in_turn(self, caller: str) -> Slot:
        loop = asyncio.get_running_loop()
        if self._free:
            self._free -= 1
        else:
            began = loop.time()
            await self._turn()
            # What was spent in the queue is not taken from its own time.
            deadline.extend(loop.time() - began)
        started = loop.time()
        return Slot(lambda: self._ended(caller, loop.time() - started))

    async def _turn(self) -> None:
        """Wait until a slot is handed over."""
        if len(self._waiting) >= self._most_waiting:
            raise self._busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(PATIENCE):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # It was handed over in the same moment: the next one has it.
                self._hand_over()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._busy() from None
            raise

    def _ended(self, caller: str, seconds: float) -> None:
        self._left(caller)
        self._usual += WEIGHT * (seconds - self._usual)
        self._hand_over()

    def _hand_over(self) -> None:
        """The slot is the next one's."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _busy(self) -> Busy:
        """Each client gets another retry time, so that they come back one by one as slots fall free."""
        REFUSED.inc()
        now, pace = asyncio.get_running_loop().time(), self._usual / self._at_once
        soonest = now + pace * len(self._waiting)
        # Beyond the longest they are spread over the same seconds once more.
        promised = self._promised if self._promised + pace <= now + LONGEST_AWAY else soonest
        self._promised = max(promised, soonest) + pace
        return Busy(max(1, min(math.ceil(self._promised - now), int(LONGEST_AWAY))))
