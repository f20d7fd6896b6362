"""Streaming connections: sockets, server-sent events and multipart answers, and connection draining."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping

import structlog
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView as StrawberryView
from strawberry.http.streaming import SSETransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, MULTIPART_SUBSCRIPTION_PROTOCOL

from core.context import Context, Services
from core.security.networks import network_of
from core.sessions import Sessions
from server import multipart, signin
from server.connection_expiry import ConnectionExpiry
from server.sockets import OrjsonSocket, SocketHandler

logger = structlog.get_logger(__name__)

CONTEXT = web.ResponseKey("context", Context)
SSE_SECONDS = 15.0
MULTIPART_SECONDS = 5.0
"""Silence after which a stream says that it lives: proxies and phones' networks forget the quiet."""
RETRY_AFTER_SECONDS = "5"
"""For who is refused because their address holds too many."""


class Events(SSETransport):
    """Server-sent events: a comment after every silence."""

    def __init__(self) -> None:
        super().__init__(SSE_SECONDS)


class Parts(multipart.Parts):
    """Apollo's multipart protocol: an empty part at the start and after every silence."""

    def __init__(self) -> None:
        super().__init__(MULTIPART_SECONDS)


class StreamingView(StrawberryView[Context, None]):
    """The part of the view that keeps connections open; a restart drains them all."""

    graphql_transport_ws_handler_class = SocketHandler
    websocket_adapter_class = OrjsonSocket
    stream_transport_classes_by_protocol = {  # noqa: RUF012
        MULTIPART_SUBSCRIPTION_PROTOCOL: Parts,
        GRAPHQL_SSE_PROTOCOL: Events,
    }
    services: Services
    sockets: set[SocketHandler]
    streams: set[asyncio.Future[web.StreamResponse]]
    held: Counter[str]
    """Sockets and streams open by the address of their client."""

    async def create_websocket_response(
        self, request: web.Request, subprotocol: str | None
    ) -> web.WebSocketResponse:
        self._refuse_more(network_of(signin.address_of(self.services, request)))
        # A compressor takes more memory than all else of a socket, and events are small.
        socket = web.WebSocketResponse(
            protocols=[subprotocol] if subprotocol else [],
            compress=False,
            max_msg_size=self.services.settings.max_body_bytes,
        )
        socket.headers["X-Request-Id"] = request[signin.ID]
        await socket.prepare(request)
        return socket

    async def create_streaming_response(
        self,
        request: web.Request,
        stream: Callable[[], AsyncGenerator[str, None]],
        sub_response: web.Response,
        headers: Mapping[str, str],
    ) -> web.StreamResponse:
        """A stream of events, ended as a socket would be: the client resumes with a new token."""
        address = sub_response[CONTEXT].network
        self._refuse_more(address)
        sub_response.headers["X-Request-Id"] = request[signin.ID]
        if headers.get("Content-Type") == multipart.CONTENT_TYPE:
            stream = multipart.begun(stream)
        streaming = asyncio.ensure_future(
            super().create_streaming_response(request, stream, sub_response, headers)
        )
        self.streams.add(streaming)
        self.held[address] += 1
        watching = asyncio.ensure_future(_over(sub_response[CONTEXT], request))
        try:
            await asyncio.wait({streaming, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            self.streams.discard(streaming)
            self.let_go(address)
            if not streaming.done():
                streaming.cancel()
        try:
            return await streaming
        except (asyncio.CancelledError, ConnectionError):
            pass
        except Exception:
            logger.exception("bug", request_id=request[signin.ID])
        if request.transport is not None:
            # The stream has begun: that it is cut off is the only way left to say that it is over.
            request.transport.close()
        return web.StreamResponse()

    def _refuse_more(self, address: str) -> None:
        most = self.services.settings.max_connections
        if most and self.held[address] >= most:
            text = f"One address holds at most {most:,} sockets and streams here.\n"
            raise web.HTTPTooManyRequests(text=text, headers={"Retry-After": RETRY_AFTER_SECONDS})

    def let_go(self, address: str) -> None:
        """A socket or stream of the address has ended."""
        self.held[address] -= 1
        if self.held[address] <= 0:
            del self.held[address]


async def _over(ctx: Context, request: web.Request) -> None:
    """When a stream must end; for those without a viewer, never."""
    if ctx.viewer is None:
        await asyncio.Event().wait()
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    await ConnectionExpiry(ctx, ctx.services.get(Sessions).expires_at(token)).over()
