"""Search of a large audit log: `make bench-audit-search`. Embedded servers on loopback.

Entries have the words of one vocabulary with frequencies like those of a language: a few are in nearly all.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from rich.table import Table

from bench.audit import Reads, running
from bench.console import console
from core import clock
from core.context import Context, Services, Viewer
from core.errors import BadUserInput
from core.paging import KeysetPage
from resolvers.audit.access import Reach
from resolvers.audit.filtering import bounded, terms_in
from resolvers.audit.searching import RANKED, ranked
from stores import audit as store
from stores.audit import AuditEntry
from tests.audit import logs as steps

out = console(110)
ORG = "org_searched"
BATCH = 5_000
TURNS = 15
MOST_MS = 1_000
"""95th percentile that the page of the audit log names, for a complex search over millions of entries."""

SHARES = {"every": 1.0, "half": 0.5, "fifth": 0.2, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001}
"""Words, each in this share of the entries."""
SEARCHES = {
    "a word of every entry": "every",
    "a word of half of them": "half",
    "a word of one in a thousand": "thousandth",
    "two frequent words": "every half",
    "six words, which few entries have together": "every half fifth tenth hundredth thousandth",
    "two frequent words that no entry has together": "odd even",
    "a rare word": "needle",
    "no such word": "absent",
}


def entries(count: int, rng: random.Random) -> Iterator[tuple[AuditEntry, list[str]]]:
    """Entries, the oldest first, with their search terms."""
    whole, now = steps.entry(ORG, action="tested.done", actor_id="user_bench"), clock.now()
    for number in range(count):
        words = [word for word, share in SHARES.items() if rng.random() < share]
        words.append("odd" if number % 2 else "even")
        if number % (count // 10) == 0:
            words.append("needle")
        made: Any = {
            **whole,
            "_id": f"audit_entry_{number:026}",
            "timestamp": now - timedelta(seconds=count - number),
            "details": {"text": " ".join(words), "n": number},
        }
        yield made, ["tested", "done", *words, str(number)]


async def plant(services: Services, count: int) -> float:
    """Store that many entries with their search entries; seconds that it took."""
    began, made = time.perf_counter(), entries(count, random.Random(17))
    while rows := list(islice(made, BATCH)):
        searched = [store.search_document(entry, terms) for entry, terms in rows]
        await asyncio.gather(
            services.db.write({"insert": store.entries.name, "documents": [entry for entry, _ in rows]}),
            services.db.write({"insert": store.search_entries.name, "documents": searched}),
        )
    return time.perf_counter() - began


async def search(services: Services, text: str) -> int:
    """Search and rank as for an auditor of the organization; how many were found."""
    ctx = Context(services, viewer=Viewer("user_bench", "", "", org=ORG))
    wanted = terms_in(text)
    reach = Reach("user_bench", ORG, None, {})
    newest = await bounded(
        ctx,
        reach,
        {"terms": {"$all": wanted}},
        lambda queries: store.newest(ctx.db, queries, KeysetPage(RANKED)),
    )
    return len(await ranked(newest[:RANKED], wanted))


async def timed(services: Services, text: str) -> tuple[list[float], str]:
    """Milliseconds of each turn, sorted, and the number of entries that were found."""
    took, found = [], ""
    for _ in range(TURNS):
        began = time.perf_counter()
        try:
            found = f"{await search(services, text)}"
        except BadUserInput:
            found = "refused"
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took), found


async def measure(count: int) -> Table:
    table = Table("", "found", "median", "p95", "at most", title=f"Search over {count:,} entries")
    async with running(Reads()) as services:
        out.print(f"{count:,} entries in {await plant(services, count):.0f} s")
        for name, text in SEARCHES.items():
            took, found = await timed(services, text)
            table.add_row(name, found, *_figures(took), f"{MOST_MS:,} ms")
    return table


def _figures(took: Sequence[float]) -> tuple[str, str]:
    return f"{statistics.median(took):.1f} ms", f"{took[int(len(took) * 0.95)]:.1f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    out.print(asyncio.run(measure(parser.parse_args().entries)))
