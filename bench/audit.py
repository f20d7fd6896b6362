"""Figures of the audit log: `make bench-audit`. Embedded servers on loopback."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from rich.table import Table

from bench.console import console
from bench.embedded_settings import embedded_settings
from core import clock
from core.context import Services
from core.ledger import checkpoint, merkle, tiles
from core.ledger.checkpoint import Checkpoint
from core.ledger.log import Leaf
from resolvers.audit import log_keys, proofs, sealing, sequencing, verifying
from server import lifespan
from stores import audit as store
from stores.audit import AuditCheckpoint, AuditLink, IntegrityCheckKind
from tests.audit import logs as steps

out = console(110)
LEAVES = 1_000_000
PROOFS = 500
WAITS = 300
APPENDED = 2_000
ORG = "org_bench"


class Reads(CommandListener):
    """Counts the commands that read."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.count += event.command_name in ("find", "aggregate")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


@asynccontextmanager
async def running(reads: Reads) -> AsyncIterator[Services]:
    """Services over embedded servers that write as they would in development."""
    with embedded_settings() as settings:
        async with lifespan.services(settings, listeners=[reads]) as services:
            yield services


async def plant(services: Services) -> list[AuditLink]:
    """A sealed log of a million leaves; links and leaves of a sample are stored."""
    leaves = [Leaf(f"org:{ORG}:{n % 16}", n // 16, f"{n:064x}") for n in range(LEAVES)]
    hashes = [leaf.hash for leaf in leaves]
    made = store.tile_documents(ORG, tiles.append(0, {}, hashes))
    for at in range(0, len(made), 500):
        await services.db.write({"insert": store.tiles.name, "documents": made[at : at + 500]})
    signer = await log_keys.signer(services, ORG)
    head = Checkpoint(signer.name, LEAVES, merkle.root(hashes))
    row = AuditCheckpoint(
        _id=f"{ORG}:{LEAVES}",
        org_id=ORG,
        size=LEAVES,
        root_hash=head.root.hex(),
        note=checkpoint.sign(head, signer),
        created_at=clock.now(),
        timestamp_token=None,
        stamped_at=None,
        ledger_reference=None,
        copied_at=None,
    )
    await services.db.write({"insert": store.checkpoints.name, "documents": [row]})
    sampled = random.Random(17).sample(range(LEAVES), PROOFS)
    rows = [row for n in sampled for row in store.leaf_documents(ORG, n, [leaves[n]])]
    await services.db.write({"insert": store.leaves.name, "documents": rows})
    return [_link(leaves[n]) for n in sampled]


def _link(leaf: Leaf) -> AuditLink:
    return AuditLink(
        _id=store.link_id(leaf.chain_id, leaf.seq),
        entry_id="",
        org_id=ORG,
        chain_id=leaf.chain_id,
        seq=leaf.seq,
        previous_hash="",
        current_hash=leaf.current_hash,
        signature=None,
        signature_key_id=None,
    )


async def prove(services: Services, reads: Reads, links: list[AuditLink]) -> tuple[float, float]:
    """CPU of a proof in milliseconds, and the reads it takes; each is checked."""
    row = await store.latest_checkpoint(services.db, ORG)
    assert row is not None
    sealed = await sealing.verified(services, row)
    for link in links[:50]:
        await proofs.inclusion(services.db, link)
    reads.count, began = 0, time.process_time()
    found = [await proofs.inclusion(services.db, link) for link in links]
    took, count = time.process_time() - began, reads.count
    for proof in found:
        assert proof is not None
        path = [bytes.fromhex(node) for node in proof.path]
        assert checkpoint.includes(sealed, bytes.fromhex(proof.leaf), proof.leaf_index, path)
    return took / len(links) * 1000, count / len(links)


async def wait(services: Services) -> list[float]:
    """Milliseconds for which SYNC lets its caller wait, sorted."""
    took = []
    for n in range(WAITS):
        made = steps.entry("org_waits", actor_id=f"user_{n}")
        await steps.accept(services, [made])
        began = time.perf_counter()
        await sequencing.chained_before(services, made["chain_id"], 2.0)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took[20:])


async def keep(services: Services) -> dict[str, float]:
    """CPU of an entry in milliseconds, by what is done with it."""
    made = [steps.entry("org_kept", actor_id=f"user_{n}") for n in range(APPENDED)]
    for at in range(0, APPENDED, 100):
        await steps.accept(services, made[at : at + 100])
    spent = {}
    for name, work in (
        ("chained", lambda: sequencing.sequence(services, {each["chain_id"] for each in made})),
        ("sealed", lambda: sealing.seal(services, "org_kept")),
        ("verified", lambda: verifying.verify_log(services, "org_kept", IntegrityCheckKind.WHOLE)),
    ):
        began = time.process_time()
        await work()
        spent[name] = (time.process_time() - began) / APPENDED * 1000
    return spent


async def measure() -> Table:
    reads = Reads()
    table = Table("", "measured", "at most", title="Audit log")
    async with running(reads) as services:
        cpu, count = await prove(services, reads, await plant(services))
        table.add_row("proof in a log of 1,000,000, CPU", f"{cpu:.2f} ms", "5 ms")
        table.add_row("proof in a log of 1,000,000, reads", f"{count:.1f}", "10")
        waits = await wait(services)
        table.add_row("wait of SYNC, median", f"{statistics.median(waits):.1f} ms", "")
        table.add_row("wait of SYNC, p95", f"{waits[int(len(waits) * 0.95)]:.1f} ms", "20 ms")
        for name, spent in (await keep(services)).items():
            table.add_row(f"entry {name}, CPU", f"{spent:.3f} ms", "")
    return table


if __name__ == "__main__":
    out.print(asyncio.run(measure()))
