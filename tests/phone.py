"""A phone: signs in, speaks GraphQL over HTTP and sockets, keeps what it knows."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp

from core import ids
from core.context import Context, Services
from core.errors import ERROR_CODES
from core.grants import GrantRole
from resolvers.auth import grants_held, sessions
from resolvers.auth.passwords import hash_password
from stores import auth as store
from stores.auth import AccountStatus, AuthFactor, Role, User
from tests import confidential, listening

PASSWORD = "correct horse battery"
SUBPROTOCOL = "graphql-transport-ws"


def deleted_ids(changes: dict[str, Any]) -> list[str]:
    """Ids of what a page of the delta query says is gone."""
    return [each["id"] for each in changes["deleted"]]


def key() -> str:
    """A fresh idempotencyKey."""
    return uuid.uuid4().hex


def refusal(
    code: str, message: str, field: list[str] | None = None, limit: int | None = None
) -> dict[str, Any]:
    """A payload's error as `Phone.do` reads it, of a refusal that names no time."""
    return {
        "kind": ERROR_CODES[code].kind,
        "code": code,
        "message": message,
        "field": field,
        "limit": limit,
        "retryable": ERROR_CODES[code].retryable,
        "retryAfterSeconds": None,
    }


class Failed(AssertionError):
    """A GraphQL error where none was expected; `errors` are the answer's."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer.get("errors"), indent=1))
        self.errors = answer.get("errors") or []


@dataclass
class Answer:
    status: int
    headers: Any
    body: Any

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.body.get("errors") or [])

    @property
    def code(self) -> str | None:
        """The code of the first top-level error."""
        return self.errors[0]["extensions"]["code"] if self.errors else None

    @property
    def data(self) -> Any:
        if self.errors:
            raise Failed(self.body)
        return self.body["data"]


@dataclass
class Phone:
    """One device; anonymous until it has a token."""

    http: aiohttp.ClientSession
    url: str
    user_id: str = ""
    token: str | None = None
    refresh_token: str | None = None
    session_id: str = ""
    device_id: str = field(default_factory=lambda: ids.new_id("device"))
    headers: dict[str, str] = field(default_factory=dict)
    """Further headers of requests."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Further parameters of `connection_init`."""

    async def post(self, body: Any, **headers: str) -> Answer:
        """POST a body as it is."""
        sent = {"Content-Type": "application/json", **self._authorization, **headers}
        confidential.note(body)
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        async with self.http.post(self.url, data=data, headers=sent) as response:
            return await _answer(response)

    async def get(self, **parameters: str) -> Answer:
        async with self.http.get(self.url, params=parameters, headers=self._authorization) as response:
            return await _answer(response)

    async def ask(self, query: str, /, **variables: Any) -> Answer:
        """Run an operation, whatever comes of it."""
        return await self.post({"query": query, "variables": variables})

    async def run(self, query: str, /, **variables: Any) -> Any:
        """Run an operation and return its data."""
        return (await self.ask(query, **variables)).data

    async def do(self, mutation: str, selection: str, /, **input: Any) -> Any:
        """Run a mutation by its field name; returns the payload with errors and replayed."""
        type_name = mutation[0].upper() + mutation[1:] + "Input"
        document = (
            f"mutation Do($input: {type_name}!) {{ {mutation}(input: $input) {{ idempotencyKey replayed "
            f"errors {{ kind code message field limit retryable retryAfterSeconds }} {selection} }} }}"
        )
        return (await self.run(document, input={"idempotencyKey": key(), **input}))[mutation]

    @property
    def _authorization(self) -> dict[str, str]:
        return {**self.headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}

    @asynccontextmanager
    async def socket(self, *, token: str | None = None) -> AsyncIterator["Socket"]:
        """An acknowledged graphql-transport-ws connection with this phone's token."""
        named = {"X-Request-Id": key()}
        async with self.http.ws_connect(self.url, protocols=[SUBPROTOCOL], headers=named) as connection:
            socket = Socket(connection, named["X-Request-Id"])
            access = token or self.token
            payload = {**self.parameters, **({"accessToken": access} if access else {})}
            await socket.send({"type": "connection_init", "payload": payload})
            assert await socket.receive() == {"type": "connection_ack"}
            yield socket

    @asynccontextmanager
    async def watch(self, query: str, /, **variables: Any) -> AsyncIterator["Stream"]:
        """A subscription over a socket of its own, listening once entered."""
        async with self.socket() as socket:
            stream = await socket.subscribe(query, **variables)
            yield stream


@dataclass
class Socket:
    connection: aiohttp.ClientWebSocketResponse
    request_id: str = ""
    streams: int = 0

    async def send(self, message: dict[str, Any]) -> None:
        confidential.note(message)
        await self.connection.send_json(message)

    async def receive(self, *, timeout: float = 10.0) -> dict[str, Any]:
        """The next message that is not a ping; a closed socket raises `ConnectionError` with its code."""
        while True:
            frame = await self.connection.receive(timeout=timeout)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(self.connection.close_code)
            message: dict[str, Any] = json.loads(frame.data)
            if message["type"] != "ping":
                return message

    async def closed(self, *, timeout: float = 10.0) -> int | None:
        """The code it is closed with, once it is."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    await self.receive(timeout=timeout)
                except ConnectionError as error:
                    return error.args[0]

    async def subscribe(self, query: str, /, **variables: Any) -> "Stream":
        """A stream that listens, or has been answered."""
        self.streams += 1
        id = str(self.streams)
        before = listening.BEGUN[self.request_id]
        await self.send({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})
        await listening.begun(self.request_id, before + 1)
        return Stream(self, id)


@dataclass
class Stream:
    socket: Socket
    id: str

    async def next(self, *, timeout: float = 10.0) -> Any:
        """The data of the next event."""
        message = await self.socket.receive(timeout=timeout)
        if message["type"] == "next":
            if message["payload"].get("errors"):
                raise Failed(message["payload"])
            return message["payload"]["data"]
        if message["type"] == "error":
            raise Failed({"errors": message["payload"]})
        raise StopAsyncIteration(message["type"])

    async def nothing(self, *, seconds: float = 0.4) -> bool:
        """True if no event comes for a while."""
        try:
            await self.next(timeout=seconds)
        except TimeoutError:
            return True
        return False


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    raw = await response.read()
    try:
        body = json.loads(raw)
    except ValueError:
        body = raw.decode(errors="replace")
    confidential.note(body)
    if isinstance(body, dict) and "errors" in body:
        confidential.ERRORS.append(json.dumps(body["errors"], separators=(",", ":")))
    return Answer(response.status, response.headers, body)


async def make_user(services: Services, name: str = "Test", **fields: Any) -> str:
    """A signed-up, active person without the cost of hashing a password; returns their id."""
    ctx = Context(services)
    user: User = await ctx.unit(partial(_insert_user, ctx, name, fields))
    return user["_id"]


async def _insert_user(ctx: Context, name: str, fields: dict[str, Any]) -> User:
    user_id = ids.new_id("user")
    email = f"{user_id}@example.com"
    await ctx.tx.insert(store.user_keys, {"_id": store.email_key(email), "user_id": user_id})
    return await ctx.tx.insert(
        store.users,
        {
            "_id": user_id,
            "first_name": name,
            "last_name": None,
            "handle": None,
            "bio": None,
            "avatar_id": None,
            "email": email,
            "email_verified": True,
            "locale": "en",
            "time_zone": "UTC",
            "roles": [Role.MEMBER],
            "status": AccountStatus.ACTIVE,
            "password_hash": "",
            "accepted_terms_version": "1",
            **fields,
        },
    )


async def granted(
    services: Services,
    phone: Phone,
    *roles: GrantRole,
    scope_id: str | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Grant the phone's owner these roles, as an administrator would."""
    ctx = Context(services)

    async def grant() -> None:
        for role in roles:
            named = {"user_id": phone.user_id, "role": str(role), "scope": role.scope, "scope_id": scope_id}
            given = {"granted_by": None, "expires_at": expires_at}
            await ctx.tx.insert(store.grants, {"_id": ids.new_id("grant"), **named, **given})
        grants_held.tell(ctx, phone.user_id)

    await ctx.unit(grant)


async def make_member(services: Services, email: str, name: str, password: str) -> str:
    """A person who can sign in with the password."""
    if (known := await store.user_by_email(services.db, email)) is not None:
        return known["_id"]
    id = await make_user(services, name, email=email, password_hash=await hash_password(password))
    row = {"_id": store.email_key(email), "user_id": id}
    await services.db.write({"insert": store.user_keys.name, "documents": [row]})
    return id


async def sign_in_directly(services: Services, phone: Phone, user_id: str) -> Phone:
    """Give the phone a session of the person, as a sign-in would."""

    async def known(ctx: Context) -> User:
        user = await store.users.by_id(ctx.db, user_id)
        assert user is not None
        return user

    return await _signed_in(services, phone, known)


async def sign_up_directly(services: Services, phone: Phone, name: str, **fields: Any) -> Phone:
    """Give the phone a session of a new person: as `make_user` and `sign_in_directly`, in one transaction."""

    async def made(ctx: Context) -> User:
        return await _insert_user(ctx, name, fields)

    return await _signed_in(services, phone, made)


async def _signed_in(services: Services, phone: Phone, whom: Callable[[Context], Awaitable[User]]) -> Phone:
    ctx = Context(services, address="127.0.0.1")
    device = {"device_id": phone.device_id, "name": "Test phone", "platform": "IOS"}

    async def start() -> dict[str, Any]:
        return await sessions.start(ctx, await whom(ctx), device, factors=[AuthFactor.PASSWORD])

    payload = await ctx.unit(start)
    phone.user_id = payload["session"]["user_id"]
    phone.session_id = payload["session"]["_id"]
    phone.token = payload["tokens"]["access_token"]
    phone.refresh_token = payload["tokens"]["refresh_token"]
    confidential.TOKENS |= {phone.token, phone.refresh_token}
    return phone
