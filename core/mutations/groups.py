"""Groups: acts of a batch in one unit of work, with the receipts of all of them.

A group is done as a whole or not at all, so one that fails is as if it had never been tried. Its acts go by
themselves then; or the one that was refused does, while the others make groups again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import Any

from core.context import Context
from core.errors import UserError
from core.mutations import acts, idempotency
from core.mutations.acts import Act
from core.mutations.references import Payload

MOST = 50
"""Acts of a group: of more, others would wait longer for what it claims, and more would be done again."""
MOST_FAILURES = 3
"""Groups of a batch that may fail: where much is refused, or others are in the way, all are in vain."""

Together = Callable[[Context, Sequence[Mapping[str, Any]]], Awaitable[Any]]
"""Reads and claims, in their unit, what acts with these arguments need; resolvers get it as `prepared`."""


class GroupEnded(Exception):
    """End of a group by the refusal of one of its acts, which tells of it by itself."""


class Groups:
    """The groups of a batch, and which of its acts go by themselves."""

    def __init__(self, together: Together, batch: Sequence[Act], alone: Iterable[str]) -> None:
        if any(act.mutation.audit or act.mutation.prepare or not act.mutation.receipt for act in batch):
            raise ValueError("Acts that are put on record, or prepared one by one, make no groups.")
        self._together = together
        self._batch = batch
        # The second of one key is a replay of the first.
        twice = [key for key, count in Counter(act.key for act in batch).items() if count > 1]
        self._alone = {*alone, *twice}
        self._failures = 0

    async def perform(self, ctx: Context, rest: Sequence[Act]) -> list[Payload]:
        """Payloads of the first acts, as many as go together; none where the first goes by itself."""
        cut = ctx.flush.begin()
        if ctx.flush.deferral({}) is not None:
            return []
        while self._failures < MOST_FAILURES:
            group = list(rest[:MOST])
            try:
                async with asyncio.timeout_at(cut):
                    await acts.foresee(ctx, lambda: self._batch)
                    group = list(takewhile(partial(self._joins, ctx), group))
                    if len(group) < 2:
                        return []
                    payloads = await ctx.unit(partial(self._run, ctx, group))
            except Exception:
                # Whatever it was: an act by itself meets it again, and is told of it.
                self._failed(group)
                continue
            for act, payload in zip(group, payloads, strict=True):
                ctx.flush.answered(payload, act.minted)
            return payloads
        return []

    def _joins(self, ctx: Context, act: Act) -> bool:
        """False for an act that goes by itself, or is known to be done."""
        id = idempotency.receipt_id(ctx, act.mutation, act.key, act.arguments)
        return id not in ctx.flush.receipts and act.key not in self._alone

    async def _run(self, ctx: Context, group: Sequence[Act]) -> list[Payload]:
        prepared = await self._together(ctx, [act.arguments for act in group])
        return [await self._member(ctx, act, prepared) for act in group]

    async def _member(self, ctx: Context, act: Act, prepared: Any) -> Payload:
        mutation = replace(act.mutation, resolver=partial(act.mutation.resolver, prepared=prepared))
        try:
            payload = await idempotency.run(ctx, mutation, act.key, act.arguments)
            if payload["errors"]:
                raise GroupEnded
        except (UserError, GroupEnded):
            self._alone.add(act.key)
            raise
        return payload

    def _failed(self, group: Sequence[Act]) -> None:
        """Let the act that was refused go by itself; all of them, where it may have been any."""
        self._failures += 1
        keys = {act.key for act in group}
        if not keys & self._alone:
            self._alone |= keys
