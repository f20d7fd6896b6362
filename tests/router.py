"""Stand-in for a sharded cluster's router, over a real MongoDB: no package brings `mongos` itself.

It calls itself a router, knows which collections were sharded, and refuses what `tests/routed.py` says that
MongoDB 6.0 refuses then; all else is the server's own work. What only several shards can show, it cannot.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import bson

from tests.routed import index_refused, refused

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
EXHAUST_ALLOWED = 1 << 16
OF_A_SET = ("hosts", "setName", "setVersion", "primary", "me", "secondary", "electionId", "topologyVersion")
INVALID_OPTIONS, CANNOT_CREATE_INDEX, SHARD_KEY_NOT_FOUND, ALREADY_INITIALIZED = 72, 67, 61, 23

Document = dict[str, Any]


@dataclass
class Connection:
    """Whole messages of the wire protocol."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def receive(self) -> tuple[int, int, bytes]:
        """Request id, kind and body of the next message."""
        length, request, _, kind = HEADER.unpack(await self.reader.readexactly(HEADER.size))
        return request, kind, await self.reader.readexactly(length - HEADER.size)

    async def send(self, request: int, answered: int, kind: int, body: bytes) -> None:
        self.writer.write(HEADER.pack(HEADER.size + len(body), request, answered, kind) + body)
        await self.writer.drain()

    async def ask(self, command: Document) -> Document:
        await self.send(0, 0, OP_MSG, message(command))
        return parsed(OP_MSG, (await self.receive())[2])


@dataclass
class Router:
    """Speaks for the server at `port`; `sharded` holds the shard keys by namespace."""

    port: int
    sharded: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, and one of its own to the server."""
        client = Connection(reader, writer)
        server = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request, kind, body = await client.receive()
                command = parsed(kind, body)
                answer = await self._own_answer(command, server)
                if answer is None:
                    await server.send(request, 0, kind, without_exhaust(kind, body))
                    _, kind, body = await server.receive()
                    answer = parsed(kind, body)
                    if "isWritablePrimary" in answer or "ismaster" in answer:
                        answer = {name: value for name, value in answer.items() if name not in OF_A_SET}
                        answer["msg"] = "isdbgrid"
                    else:
                        await client.send(0, request, kind, body)
                        continue
                reply = struct.pack("<iqii", 0, 0, 0, 1) + bson.encode(answer)
                body = reply if kind in (OP_QUERY, OP_REPLY) else message(answer)
                await client.send(0, request, OP_REPLY if kind in (OP_QUERY, OP_REPLY) else OP_MSG, body)
        for each in (writer, server.writer):
            each.close()

    async def _own_answer(self, command: Document, server: Connection) -> Document | None:
        """Answer to a command that the router handles itself; None for the server's."""
        if "enableSharding" in command:
            return {"ok": 1.0}
        if "shardCollection" in command:
            return await self._shard(command["shardCollection"], command["key"], server)
        if "getParameter" in command:
            return failed(INVALID_OPTIONS, "no option found to get")
        database, within = command.get("$db"), "autocommit" in command
        for reason in refused(
            command, within=within, keys=lambda name: self.sharded.get(f"{database}.{name}")
        ):
            self.refusals.append(f"{next(iter(command.items()))} {reason}")
            return failed(SHARD_KEY_NOT_FOUND, reason)
        return None

    async def _shard(self, namespace: str, wanted: Mapping[str, Any], server: Connection) -> Document:
        database, _, collection = namespace.partition(".")
        [key] = wanted
        if self.sharded.get(namespace, key) != key:
            return failed(ALREADY_INITIALIZED, "sharding already enabled with another key")
        answer = await server.ask({"listIndexes": collection, "cursor": {}, "$db": database})
        indexes = answer["cursor"]["firstBatch"]
        if dict(wanted) not in [dict(each["key"]) for each in indexes]:
            return failed(INVALID_OPTIONS, "Please create an index that starts with the proposed shard key")
        for each in indexes:
            for reason in index_refused(each["key"], key, unique=each.get("unique", False)):
                return failed(CANNOT_CREATE_INDEX, f"{each['name']} {reason}")
        self.sharded[namespace] = key
        return {"ok": 1.0, "collectionsharded": namespace}


@asynccontextmanager
async def router(port: int) -> AsyncIterator[tuple[Router, str]]:
    """A router for the server at the port, and the address where it listens."""
    made = Router(port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        yield made, f"mongodb://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        server.close()


def failed(code: int, text: str) -> Document:
    return {"ok": 0.0, "errmsg": text, "code": code}


def message(document: Document) -> bytes:
    return struct.pack("<IB", 0, 0) + bson.encode(document)


def without_exhaust(kind: int, body: bytes) -> bytes:
    """One answer to each question: a stream of them is not passed on."""
    if kind != OP_MSG:
        return body
    (flags,) = struct.unpack_from("<I", body)
    return struct.pack("<I", flags & ~EXHAUST_ALLOWED) + body[4:]


def parsed(kind: int, body: bytes) -> Document:
    """The document of a message, with what travels beside it."""
    if kind == OP_REPLY:
        return bson.decode(body[20:])
    if kind == OP_QUERY:
        return bson.decode(body[body.index(b"\0", 4) + 9 :])
    found: Document = {}
    place = 4
    while place < len(body):
        section, (size,) = body[place], struct.unpack_from("<i", body, place + 1)
        content = body[place + 1 : place + 1 + size]
        if section == 0:
            found = bson.decode(content) | found
        else:
            end = content.index(b"\0", 4)
            found[content[4:end].decode()] = bson.decode_all(content[end + 1 :])
        place += 1 + size
    return found
