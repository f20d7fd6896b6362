"""Fast path of an ordinary request: one operation by POST whose document is known and compiled.

What the view does for each request costs more than a small operation. Everything that is not ordinary
(batches, streams, GET, documents not seen before, whatever is malformed) takes the view's way, and gets the
same answers.
"""

from collections.abc import Awaitable, Callable
from types import NoneType
from typing import Any

import orjson
from aiohttp import web
from graphql import GraphQLError
from strawberry.types.execution import ExecutionResult

from core.context import Context, Services
from core.deadline import Deadline
from core.errors import TimedOut
from executor import Executor
from server import http, requests, signin
from server.admission import Admission, NotAdmitted
from server.answers import MOST_UNSEEN, sized, too_large
from server.cost import Weight

JSON = "application/json"
ORDINARY = frozenset(
    {JSON, *(f"{JSON};{gap}charset={name}" for gap in ("", " ") for name in ("utf-8", "UTF-8"))}
)
"""Content types that are read here, as clients write them."""

DICT_OR_NONE, STR_OR_NONE = (dict, NoneType), (str, NoneType)

Finish = Callable[[web.Request, Context, ExecutionResult], Awaitable[web.Response]]
OnReference = Callable[[web.Request, Context, dict[str, Any], Weight], Awaitable[web.Response]]


class FastPath:
    """Fast path: answers compiled operations; the view's `on_reference` and `finish` do the rest."""

    def __init__(
        self,
        services: Services,
        deadline: Deadline,
        executor: Executor,
        admission: Admission,
        *,
        on_reference: OnReference,
        finish: Finish,
    ) -> None:
        self._services = services
        self._executor = executor
        self._admission = admission
        self._on_reference = on_reference
        self._finish = finish
        self._deadline = deadline
        self._most = services.settings.max_answer_bytes

    async def answer(self, request: web.Request) -> web.Response | None:
        """None: the view must answer."""
        chosen = _chosen(request)
        data = _operation(await request.read()) if chosen is not None else None
        if data is None:
            return None
        name, variables = data.get("operationName"), data.get("variables")
        prepared = self._executor.prepared(data["query"], variables, name)
        if prepared is None:
            return None
        ctx = signin.context_of(self._services, request)
        signin.sign_in(ctx, request.headers.get("Authorization"))
        try:
            with self._deadline:
                weight = self._admission.at_once(data["query"], variables, name, ctx)
                if weight is None:
                    weight = (await self._admission.admit(data["query"], variables, name, None, ctx)).weight
                answer = await self._executor.answer(prepared, ctx)
                if answer is None:
                    return await self._on_reference(request, ctx, data, weight)
            if answer.errors:
                result = ExecutionResult(data=answer.data, errors=list(answer.errors))
                return await self._finish(request, ctx, result)
        except NotAdmitted as refusal:
            if (refused := requests.of_fault(refusal.fault)) is not None:
                raise refused from None
            return await self._finish(request, ctx, refusal.answer)
        except TimeoutError:
            return await self._finish(request, ctx, timed_out())
        finally:
            ctx.end_flush()
        self._admission.settle(ctx, weight.cost)
        fits = weight.texts <= MOST_UNSEEN or sized(answer.data, self._most)
        body = orjson.dumps({"data": answer.data}, default=str) if fits else None
        if body is None or len(body) > self._most:
            return await self._finish(request, ctx, too_large(self._most))
        return web.Response(
            body=body,
            headers={"Content-Type": f"{chosen}; charset=utf-8", **http.limit_headers(ctx)},
        )


def _chosen(request: web.Request) -> str | None:
    """The media type of the answer to an ordinary request; None for any other request."""
    headers = request.headers
    if (
        request.method != "POST"
        or headers.get("Content-Type") not in ORDINARY
        or "Upgrade" in headers
        or http.TELL_COST in headers
    ):
        return None
    return http.media_type(headers.get("Accept"))


def _operation(body: bytes) -> dict[str, Any] | None:
    """The parsed request, if it is an ordinary one; None if the view must answer it."""
    try:
        data = orjson.loads(body)
    except ValueError:
        return None
    if (
        data.__class__ is dict
        and data.get("query").__class__ is str
        and data.get("variables").__class__ in DICT_OR_NONE
        and data.get("operationName").__class__ in STR_OR_NONE
        and data.get("extensions") in (None, {})
    ):
        return data
    return None


def timed_out() -> ExecutionResult:
    fault = TimedOut()
    return ExecutionResult(data=None, errors=[GraphQLError(fault.message, extensions=fault.extensions)])
