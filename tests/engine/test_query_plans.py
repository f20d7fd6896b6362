"""The check of all reads at the end of the tests (`tests/leftovers.py`): it finds what it is for."""

from core.context import Services
from tests.explained import Kinds


async def test_what_scans_or_sorts_is_found(services: Services) -> None:
    kinds = Kinds()
    kinds.note({"find": "comments", "filter": {"text": "Hello"}})
    kinds.note({"find": "comments", "filter": {"post_id": "x"}, "sort": {"text": 1}})
    kinds.note(
        {"find": "comments", "filter": {"post_id": "x", "parent_id": None}, "sort": {"created_at": -1}}
    )
    kinds.note({"delete": "posts", "deletes": [{"q": {"edited_at": None}, "limit": 0}]})
    stages = [{"$match": {"author_id": "x"}}, {"$unionWith": {"coll": "posts", "pipeline": []}}]
    kinds.note({"aggregate": "follows", "pipeline": stages})
    lookup = {"from": "follows", "localField": "_id", "foreignField": "state", "as": "found"}
    kinds.note({"aggregate": 1, "pipeline": [{"$documents": []}, {"$lookup": lookup}]})
    assert await kinds.problems(services.db, {"posts []": "everything"}) == [
        "comments [{$match: {post_id: ?}}, {$sort: {text: ?}}]: sorts",
        "comments [{$match: {text: ?}}]: scans",
        "follows [{$match: {author_id: ?}}]: scans",
        "follows [{$match: {state: {$in: [?]}}}]: scans",
        "posts [{$match: {edited_at: None}}]: scans",
    ]
