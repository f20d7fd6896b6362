"""Tampering with a sealed log, as somebody who can write to the database does it (golden case A7)."""

from typing import Any

from core.context import Services
from core.ledger import chain, tiles
from core.ledger.chain import Head
from core.storage.mongo import Database
from resolvers.audit import sequencing, verifying
from stores import audit as store
from stores.audit import AuditEntry, AuditLink, IntegrityCheck, IntegrityCheckKind
from tests.audit import logs


class Log:
    """Sealed log of three chains, to tamper with past the code that keeps it."""

    def __init__(self, services: Services, org_id: str, entries: list[AuditEntry]) -> None:
        self.services = services
        self.org_id = org_id
        self.entries = entries
        self.chain_id = entries[0]["chain_id"]

    async def links(self) -> list[AuditLink]:
        return await logs.links_of(self.services, self.chain_id)

    async def entry(self, seq: int) -> AuditEntry:
        [entry] = await store.entries.by_ids(self.services.db, [(await self.links())[seq]["entry_id"]])
        return entry

    async def change(self, name: str, target: str, **fields: Any) -> None:
        command = {"update": name, "updates": [{"q": {"_id": target}, "u": {"$set": fields}}]}
        await self.raw(command)

    async def delete(self, name: str, **query: Any) -> None:
        await self.raw({"delete": name, "deletes": [{"q": query, "limit": 0}]})

    async def insert(self, name: str, *rows: Any) -> None:
        await self.raw({"insert": name, "documents": list(rows)})

    async def raw(self, command: dict[str, Any]) -> None:
        """Past the handle that the router's rules watch: an intruder keeps to none."""
        await self.services.db._database.command(command)

    async def drop(self, seq: int) -> None:
        link = (await self.links())[seq]
        await self.delete(store.entries.name, _id=link["entry_id"])
        await self.delete(store.links.name, _id=link["_id"])

    async def rewrite(self, first: int) -> None:
        """Write the chain anew from a seq on, with right hashes, and its head."""
        links = await self.links()
        head = Head(links[first - 1]["seq"], links[first - 1]["current_hash"]) if first else chain.EMPTY
        forged = [logs.entry(self.org_id, action="forged", actor_id="user_a") for _ in links[first:]]
        made, head = sequencing.linked(self.org_id, self.chain_id, head, forged)
        for _ in links[first:]:
            await self.drop(first)
        await self.insert(store.entries.name, *forged)
        await self.insert(store.links.name, *made)
        await self.change(store.chains.name, self.chain_id, seq=head.seq, current_hash=head.current_hash)

    async def own_alone(self, _: Database) -> list[str]:
        return [self.org_id]

    async def verify(self, reach: IntegrityCheckKind = IntegrityCheckKind.WHOLE) -> IntegrityCheck:
        return await verifying.verify_log(self.services, self.org_id, reach)


async def flipped(log: Log) -> None:
    entry = await log.entry(1)
    await log.change(store.entries.name, entry["_id"], details={**entry["details"], "n": 2})


async def swapped(log: Log) -> None:
    links = await log.links()
    await log.change(store.links.name, links[1]["_id"], entry_id=links[2]["entry_id"])
    await log.change(store.links.name, links[2]["_id"], entry_id=links[1]["entry_id"])


async def newest_deleted(log: Log) -> None:
    await log.drop(3)


async def newest_deleted_with_its_head(log: Log) -> None:
    await log.drop(3)
    link = (await log.links())[2]
    await log.change(store.chains.name, log.chain_id, seq=2, current_hash=link["current_hash"])


async def middle_deleted(log: Log) -> None:
    await log.drop(1)


async def inserted(log: Log) -> None:
    newest = (await log.links())[-1]
    forged = [logs.entry(log.org_id, action="forged", actor_id="user_a")]
    head = Head(newest["seq"], newest["current_hash"])
    made, _ = sequencing.linked(log.org_id, log.chain_id, head, forged)
    await log.insert(store.entries.name, *forged)
    await log.insert(store.links.name, *made)


async def rewritten(log: Log) -> None:
    await log.rewrite(0)


async def rewritten_end(log: Log) -> None:
    await log.rewrite(2)


async def moved(log: Log) -> None:
    entry = await log.entry(1)
    await log.change(store.entries.name, entry["_id"], chain_id=f"org:{log.org_id}:other")


async def dropped(log: Log) -> None:
    for _ in range(4):
        await log.drop(0)
    await log.delete(store.chains.name, _id=log.chain_id)


async def rewritten_with_its_tree(log: Log) -> None:
    """The end of a chain, with the leaves and inner nodes of the log, but not its signed checkpoint."""
    await log.rewrite(2)
    links = {link["seq"]: link["current_hash"] for link in await log.links()}
    rows = await store.leaves_between(log.services.db, log.org_id, 0, 12)
    for row in rows:
        if row["chain_id"] == log.chain_id:
            await log.change(store.leaves.name, row["_id"], current_hash=links[row["seq"]])
            row["current_hash"] = links[row["seq"]]
    made = tiles.append(0, {}, [store.leaf_of(row).hash for row in rows])
    for tile in store.tile_documents(log.org_id, made):
        await log.change(store.tiles.name, tile["_id"], hashes=tile["hashes"])


MATRIX = {
    flipped: 1,
    swapped: 1,
    newest_deleted: 3,
    newest_deleted_with_its_head: 3,
    middle_deleted: 1,
    inserted: 4,
    rewritten: 0,
    rewritten_end: 2,
    moved: 1,
    dropped: 0,
}
