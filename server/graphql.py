"""The GraphQL endpoint over HTTP: content types, status codes, batches, timeouts.

Built on Strawberry's view; what the GraphQL-over-HTTP draft asks beyond it is added here.
"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import (
    GRAPHQL_SSE_PROTOCOL,
    GRAPHQL_TRANSPORT_WS_PROTOCOL,
    MULTIPART_SUBSCRIPTION_PROTOCOL,
)
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from core import messages, request_notes
from core.context import Context, Services
from core.deadline import Deadline
from core.errors import Busy
from core.graphql.build import Schema
from core.settings import Environment
from executor import Executor
from server import caching, compression, connections, errors, etags, http, requests, signin, sockets
from server.admission import Admission, NotAdmitted
from server.answers import body_of, fits, never_ran, objects, too_large
from server.cost import Weight
from server.documents import Documents, with_document_id
from server.fast_path import FastPath, timed_out
from server.flushes import Flushes
from server.operation_limits import OperationLimits
from server.streaming import CONTEXT, StreamingView
from server.streams import Streams

READS = {OperationType.QUERY}
MEDIA_TYPE = web.ResponseKey("media_type", str)
REQUEST = web.ResponseKey("request", web.Request)
MAX_AGE = web.ResponseKey("max_age", object)


class GraphQLView(StreamingView):
    request_adapter_class = requests.Adapter

    def __init__(self, services: Services, schema: Schema) -> None:
        settings = services.settings
        super().__init__(
            schema=schema,
            graphql_ide=None,
            subscription_protocols=(
                GRAPHQL_TRANSPORT_WS_PROTOCOL,
                GRAPHQL_SSE_PROTOCOL,
                MULTIPART_SUBSCRIPTION_PROTOCOL,
            ),
            connection_init_wait_timeout=timedelta(seconds=sockets.INIT_SECONDS),
            max_subscriptions_per_connection=settings.max_subscriptions,
            allowed_origins=settings.allowed_origins,
        )
        self.services = services
        self._most = settings.max_answer_bytes
        self._compress_above = settings.compress_above
        self.sockets, self.streams, self.held = set(), set(), Counter()
        self.own_schema = schema
        eager = settings.env is Environment.TEST
        self.executor = Executor(schema, eager=eager) if settings.executor == "compiled" else None
        flushes = Flushes(settings.max_flushes, settings.max_waiting_flushes)
        limits = OperationLimits(schema, settings, services.limits)
        self.admission = Admission(services.get(Documents), limits, flushes)
        self.deadline = Deadline(settings.request_timeout)
        self.fast_path = (
            FastPath(
                services,
                self.deadline,
                self.executor,
                self.admission,
                on_reference=self._on_reference,
                finish=self._finish,
            )
            if self.executor
            else None
        )
        self.operations = Streams(
            schema, self.executor, self.admission, self.deadline, settings.max_answer_bytes
        )

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        answer = await self._answer(request)
        if compression.large(answer, self._compress_above):
            await compression.pack(request, answer)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            await connections.body_of(request, self.services.settings.read_timeout)
            if self.fast_path is not None and (answer := await self.fast_path.answer(request)) is not None:
                return answer
            requests.check(request)
            return await self.run(request=request)
        except requests.RequestRefused as refusal:
            return self._refused(request, refusal)
        except HTTPException as error:
            return self._refused(request, requests.of_library(error))
        except web.HTTPRequestEntityTooLarge:
            return self._refused(request, requests.too_large(self.services.settings.max_body_bytes))
        except web.RequestPayloadError:
            return self._refused(request, requests.not_the_body())
        except connections.SlowSender:
            return self._refused(request, requests.too_slow())
        except web.HTTPException:
            raise
        except ConnectionError as error:
            if requests.hung_up(request):
                raise
            return self._failed(request, error)
        except Exception as error:
            return self._failed(request, error)

    def _failed(self, request: web.Request, error: Exception) -> web.Response:
        """Answer an error from before an operation began: signing in without databases, say."""
        told = errors.public(GraphQLError(str(error), original_error=error), request[signin.ID])
        extensions = told.extensions or {}
        request_notes.code(extensions["code"])
        errors.translate([told], _language(request))
        body = {"errors": [{"message": told.message, "extensions": extensions}]}
        status = errors.STATUS.get(extensions["code"], 500)
        return web.json_response(
            body, status=status, dumps=_dumped, content_type=_media_type(request) or http.PLAIN_JSON
        )

    def _refused(self, request: web.Request, refusal: requests.RequestRefused) -> web.Response:
        fault, status = refusal.fault, refusal.status
        request_notes.code(str(fault.extensions["code"]))
        message = messages.text(fault.message, language=_language(request))
        body = {"errors": [{"message": message, "extensions": fault.extensions}]}
        headers = {}
        if status == 405:
            headers["Allow"] = "POST" if request.method == "GET" else "GET, POST"
        if isinstance(fault, Busy):
            headers["Retry-After"] = str(fault.retry_after_seconds)
        return web.json_response(
            body,
            status=status,
            headers=headers,
            dumps=_dumped,
            content_type=_media_type(request) or http.PLAIN_JSON,
        )

    def _context(self, request: web.Request) -> Context:
        ctx = signin.context_of(self.services, request)
        signin.sign_in(ctx, request.headers.get("Authorization"))
        return ctx

    async def get_context(
        self, request: web.Request, response: web.Response | web.WebSocketResponse
    ) -> Context:
        ctx = self._context(request)
        if isinstance(response, web.Response):
            response[CONTEXT] = ctx
        return ctx

    async def get_sub_response(self, request: web.Request) -> web.Response:
        response = web.Response()
        response[REQUEST] = request
        known = etags.asked(request)
        if known is not None:
            response[etags.ASKED] = known
        response[MEDIA_TYPE] = _media_type(request) or http.PLAIN_JSON
        return response

    def should_render_graphql_ide(self, request: Any) -> bool:
        return False

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        return _dumped(data)

    def parse_json(self, data: str | bytes) -> Any:
        parsed = requests.parsed(data)
        found = [*map(with_document_id, parsed)] if isinstance(parsed, list) else with_document_id(parsed)
        requests.check_body(found, most=self.services.settings.max_batch)
        return found

    def parse_query_params(self, params: Any) -> dict[str, Any]:
        parts = {
            name: requests.parsed(params[name]) for name in ("variables", "extensions") if params.get(name)
        }
        found: dict[str, Any] = with_document_id({**params, **parts})
        requests.check_body(found, most=1)
        return found

    async def parse_http_body(self, request: Any) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if http.TELL_COST in request.headers:
            for each in data if isinstance(data, list) else [data]:
                each.extensions = {**(each.extensions or {}), "cost": True}
        return data

    async def execute_operation(
        self,
        request: web.Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: web.Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        if not isinstance(request_data, list) and await self._streams(request, request_data):
            streamed: SubscriptionExecutionResult = await self.operations.over_http(
                request.method, request_data, context
            )
            return streamed
        if not isinstance(request_data, list):
            single = replace(request_data, protocol="http")
            try:
                return await super().execute_operation(
                    request, request_adapter, single, context, root_value, sub_response
                )
            finally:
                context.end_flush()
        # In order, as a phone's queue was filled: one flush.
        context.flush.is_array = len(request_data) > 1
        try:
            return [
                await self.execute_single(request, request_adapter, sub_response, context, root_value, each)
                for each in request_data
            ]
        finally:
            context.end_flush()

    async def _streams(self, request: web.Request, data: GraphQLRequestData) -> bool:
        """True if the answer is a stream. Clients that take JSON as well get it for all but subscriptions:
        urql names all it can read with every request."""
        if data.protocol == "http" or _media_type(request) is None:
            return data.protocol != "http"
        ctx = self._context(request)
        return await self.admission.subscribes(data.query, data.operation_name, data.extensions, ctx)

    async def execute_single(
        self,
        request: web.Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: web.Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        single = self._single(request, sub_response, context, request_data)
        try:
            with self.deadline:
                return await single
        except NotAdmitted as refusal:
            context.flush.failed(refusal.fault)
            if (refused := requests.of_fault(refusal.fault)) is not None:
                raise refused from None
            return refusal.answer
        except TimeoutError as error:
            context.flush.failed(error)
            return timed_out()

    async def _single(
        self,
        request: web.Request,
        sub_response: web.Response,
        context: Context,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        ctx = context.fork()
        ctx.join(context)
        ctx.flush.begin_operation()
        admitted = await self.admission.admit(
            request_data.query,
            request_data.variables,
            request_data.operation_name,
            request_data.extensions,
            ctx,
        )
        data = replace(request_data, query=admitted.query)
        if request.method == "GET" and not admitted.tells_cost:
            sub_response[MAX_AGE] = caching.seconds(
                self.own_schema, data.query, data.operation_name, data.variables
            )
        answer = await self.admission.introspected(data.query or "", data.variables, data.operation_name)
        if answer is None:
            answer = await self._compiled(request, data, ctx) or await self._reference(request, data, ctx)
        cost = self.admission.settle(ctx, admitted.weight.cost)
        if not fits(answer, self._most, admitted.weight):
            answer = too_large(self._most)
        if admitted.tells_cost:
            answer.extensions = {**(answer.extensions or {}), "cost": admitted.charge.document(cost)}
        return answer

    async def _reference(
        self, request: web.Request, data: GraphQLRequestData, ctx: Context
    ) -> ExecutionResult:
        allowed = READS if request.method == "GET" else READS | {OperationType.MUTATION}
        try:
            answer: ExecutionResult = await self.schema.execute(
                data.query,
                variable_values=data.variables,
                context_value=ctx,
                operation_name=data.operation_name,
                allowed_operation_types=allowed,
                operation_extensions=data.extensions,
            )
            ctx.served = objects(answer.data)
            return answer
        except (CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            fault = errors.as_request_error(error)
            assert fault is not None
            if getattr(error, "operation_type", None) is OperationType.MUTATION:
                raise requests.RequestRefused(405, fault) from None
            raise NotAdmitted(fault) from None

    async def _on_reference(
        self, request: web.Request, ctx: Context, data: dict[str, Any], weight: Weight
    ) -> web.Response:
        """Run an operation with the reference executor after the fast path could not finish it."""
        single = GraphQLRequestData(
            data["query"], data.get("variables"), data.get("operationName"), data.get("extensions")
        )
        result = await self._reference(request, single, ctx)
        self.admission.settle(ctx, weight.cost)
        if not fits(result, self._most, weight):
            result = too_large(self._most)
        return await self._finish(request, ctx, result)

    async def _finish(self, request: web.Request, ctx: Context, result: ExecutionResult) -> web.Response:
        response = await self.get_sub_response(request)
        response[CONTEXT] = ctx
        return self.create_response(await self.process_result(request, result), response)

    async def _compiled(
        self, request: web.Request, data: GraphQLRequestData, ctx: Context
    ) -> ExecutionResult | None:
        if self.executor is None:
            return None
        return await self.executor.run(
            data.query, data.variables, data.operation_name, ctx, mutations=request.method == "POST"
        )

    async def process_result(self, request: web.Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        errors.hide(result, request[signin.ID])
        errors.translate(result.errors, _language(request))
        response = await super().process_result(request, result)
        if isinstance(result, PreExecutionError) or never_ran(result):
            # A request that was never executed has no data, not even null.
            response.pop("data", None)
        return response

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: web.Response,
    ) -> web.Response:
        request_notes.errors(response_data)
        chosen = sub_response[MEDIA_TYPE]
        sub_response.set_status(http.status(response_data, chosen))
        sub_response.headers.update(http.limit_headers(sub_response[CONTEXT]))
        sub_response.body = body_of(response_data, self._most)
        sub_response.content_type = chosen
        sub_response.charset = "utf-8"
        if sub_response[REQUEST].method == "GET":
            caching.mark(sub_response[REQUEST], sub_response, response_data, _age(sub_response))
            etags.tag(sub_response, response_data)
        return sub_response


def _age(response: web.Response) -> int | None:
    age = response.get(MAX_AGE)
    return age if isinstance(age, int) else None


def _media_type(request: web.Request) -> str | None:
    return http.media_type(request.headers.get("Accept"))


def _language(request: web.Request) -> str:
    """Language of the messages that the caller is shown."""
    return messages.language(request.headers.get("Accept-Language", ""))


def _dumped(data: Any) -> str:
    return orjson.dumps(data, default=str).decode()
