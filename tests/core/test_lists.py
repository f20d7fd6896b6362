"""The list helper: a page of a query, whatever the query holds."""

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import pytest

from core import paging
from core.context import Services
from core.errors import BadUserInput
from core.paging import PageArgs
from core.storage.store import COLLECTIONS, Collection, collection


class Crate(TypedDict):
    _id: str
    owner_id: str
    mark: str


MARKED: dict[str, Any] = {"owner_id": "ada", "$or": [{"mark": "red"}, {"mark": "blue"}]}
BY_ID = [("_id", 1)]
BY_MARK = [("mark", -1), ("_id", 1)]


@pytest.fixture
async def crates(services: Services) -> AsyncIterator[Collection[Crate]]:
    made = collection("test_crates", Crate)
    rows = [
        {"_id": f"{number:02}", "owner_id": owner, "mark": mark}
        for number, (owner, mark) in enumerate([("ada", "red"), ("grace", "red"), ("ada", "blue")] * 4)
    ]
    await services.db.write({"insert": made.name, "documents": rows})
    yield made
    del COLLECTIONS["test_crates"]
    await services.db.command({"drop": "test_crates"})


@pytest.mark.parametrize("sort", [BY_ID, BY_MARK], ids=["one key", "two keys"])
async def test_a_query_with_an_or_of_its_own_keeps_its_owner_on_every_page(
    services: Services, crates: Collection[Crate], sort: paging.Sort
) -> None:
    """Merged into the query, the place in the list would take the place of its `$or`, or of its owner."""
    seen: list[Crate] = []
    args = PageArgs(first=3)
    while True:
        page = await crates.page(services.db, MARKED, sort, args)
        seen += [edge["node"] for edge in page["edges"]]
        if not page["page_info"]["has_next_page"]:
            break
        args = PageArgs(first=3, after=paging.end_cursor(page["page_info"]))
    expected = [row for row in await crates.find(services.db, {}, sort=sort) if row["owner_id"] == "ada"]
    assert seen == expected
    assert len(seen) == 8


async def test_a_cursor_is_good_for_its_query_and_order_alone(
    services: Services, crates: Collection[Crate]
) -> None:
    page = await crates.page(services.db, MARKED, BY_ID, PageArgs(first=1))
    after = paging.end_cursor(page["page_info"])
    for query, sort in (({"owner_id": "grace"}, BY_ID), (MARKED, BY_MARK)):
        with pytest.raises(BadUserInput, match="another list or filter"):
            await crates.page(services.db, query, sort, PageArgs(first=1, after=after))
