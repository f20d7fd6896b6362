"""Router rules as the suite applies them: of each an example that is refused, and one that is taken."""

from typing import Any

import pytest

from core.storage.store import COLLECTIONS
from tests.routed import Router, index_refused, refused, scattered

SHARDED = {"pages": "book", "books": "_id", "shelves.inner": "at.id"}
EQUAL = {"_id": "p1", "book": "b1"}
JOIN = {"from": "pages", "localField": "_id", "foreignField": "book", "as": "pages"}


def reasons(command: dict[str, Any], *, within: bool = False) -> list[str]:
    return list(refused(command, within=within, keys=lambda name: SHARDED.get(str(name))))


def update(query: dict[str, Any], change: Any, **options: Any) -> dict[str, Any]:
    return {"update": "pages", "updates": [{"q": query, "u": change, **options}]}


def find_and_modify(query: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"findAndModify": "pages", "query": query, **options}


def delete(query: dict[str, Any], limit: int) -> dict[str, Any]:
    return {"delete": "pages", "deletes": [{"q": query, "limit": limit}]}


def create_index(keys: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"createIndexes": "pages", "indexes": [{"key": keys, "name": "it", **options}]}


def aggregate(*stages: dict[str, Any]) -> dict[str, Any]:
    return {"aggregate": "books", "pipeline": list(stages), "cursor": {}}


SET = {"$set": {"text": "x"}}
MOVE = {"$set": {"book": "b2"}}

REFUSED: list[tuple[dict[str, Any], bool, str]] = [
    (update({"_id": "p1"}, SET), False, "updates one document without naming `book`"),
    (update({"_id": "p1"}, SET), True, "updates one document without naming `book`"),
    (update({"book": {"$in": ["b1"]}}, SET), False, "updates one document without naming `book`"),
    (update({"_id": "p1"}, SET, multi=True, upsert=True), False, "upserts without naming `book`"),
    (update(EQUAL, MOVE), False, "changes `book` outside a transaction"),
    (update(EQUAL, {"text": "a whole document"}), False, "changes `book` outside a transaction"),
    (update(EQUAL, [{"$set": {"book": "b2"}}]), False, "changes `book` outside a transaction"),
    (update(EQUAL, [{"$unset": "book"}]), False, "changes `book` outside a transaction"),
    (update({}, MOVE, multi=True), True, "changes `book` of many documents"),
    (update(EQUAL, MOVE, multi=True), True, "changes `book` of many documents"),
    (delete({"_id": "p1"}, 1), False, "deletes one document without naming `book`"),
    (
        find_and_modify({"_id": "p1"}, update=SET),
        True,
        "finds and modifies one document without naming `book`",
    ),
    (
        find_and_modify({"text": "x"}, remove=True),
        False,
        "finds and modifies one document without naming `book`",
    ),
    (find_and_modify(EQUAL, update=MOVE), False, "changes `book` outside a transaction"),
    (
        create_index({"text": 1, "book": 1}, unique=True),
        False,
        "makes an index unique that does not begin with `book`",
    ),
    (create_index({"book": "hashed"}, unique=True), False, "makes a hashed index unique"),
    (aggregate({"$lookup": JOIN}), True, "joins a sharded collection within a transaction"),
    (
        aggregate({"$facet": {"one": [{"$graphLookup": JOIN}]}}),
        True,
        "joins a sharded collection within a transaction",
    ),
    (
        aggregate({"$lookup": {**JOIN, "from": "small", "pipeline": [{"$unionWith": "pages"}]}}),
        False,
        "unites a sharded collection within a join",
    ),
    (aggregate({"$out": "pages"}), False, "puts out to a sharded collection"),
    (aggregate({"$merge": {"into": "pages", "on": "_id"}}), False, "merges on other fields than `book`"),
    (aggregate({"$merge": "small"}), True, "writes what it aggregates within a transaction"),
    ({"distinct": "pages", "key": "text"}, True, "lists distinct values within a transaction"),
]

TAKEN: list[tuple[dict[str, Any], bool]] = [
    (update(EQUAL, SET), False),
    (update({"$and": [{"book": {"$eq": "b1"}}, {"_id": "p1"}]}, SET), True),
    (update({"text": "x"}, SET, multi=True), False),
    (update(EQUAL, {"$setOnInsert": {"book": "b1"}}, upsert=True), False),
    (update(EQUAL, MOVE), True),
    ({"update": "books", "updates": [{"q": {"_id": "b1"}, "u": {"a": "whole document"}}]}, False),
    ({"update": "shelves.inner", "updates": [{"q": {"at.id": "x"}, "u": {"$set": {"at.name": 1}}}]}, False),
    (delete({"text": "x"}, 0), False),
    (delete(EQUAL, 1), False),
    (find_and_modify(EQUAL, update=SET), True),
    (find_and_modify(EQUAL, remove=True), False),
    (create_index({"book": 1, "text": 1}, unique=True), False),
    (create_index({"_id": 1, "text": 1}, unique=True), False),
    (create_index({"book": "hashed"}), False),
    (create_index({"text": 1}), False),
    (aggregate({"$lookup": JOIN}), False),
    (aggregate({"$lookup": {**JOIN, "from": "small"}}), True),
    (aggregate({"$unionWith": {"coll": "pages", "pipeline": []}}), True),
    (aggregate({"$out": "small"}), False),
    (aggregate({"$merge": {"into": "pages", "on": ["_id", "book"]}}), False),
    ({"update": "small", "updates": [{"q": {"text": "x"}, "u": MOVE}]}, False),
]


@pytest.mark.parametrize(("command", "within", "reason"), REFUSED)
def test_what_the_router_refuses(command: dict[str, Any], within: bool, reason: str) -> None:
    assert reason in reasons(command, within=within)


@pytest.mark.parametrize(("command", "within"), TAKEN)
def test_what_the_router_takes(command: dict[str, Any], within: bool) -> None:
    assert reasons(command, within=within) == []


def test_a_part_of_a_shard_key_and_what_holds_it_are_the_key() -> None:
    for change in ({"at.id": 1}, {"at": {}}, {"at.id.deep": 1}):
        command = {"update": "shelves.inner", "updates": [{"q": {"at.id": "x"}, "u": {"$set": change}}]}
        assert reasons(command) == ["changes `at.id` outside a transaction"]


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ({"find": "pages", "filter": {"text": "x", "_id": "p1"}}, ["pages: _id, text"]),
        ({"find": "pages", "filter": {"$or": [{"book": "b1"}, {"text": "x"}]}}, ["pages: book, text"]),
        ({"find": "books", "filter": {"_id": {"$gt": "b1"}}}, ["books: _id"]),
        ({"find": "pages", "filter": {"book": {"$in": ["b1", "b2"]}}}, []),
        ({"find": "pages", "filter": {"$or": [{"book": "b1"}, {"book": "b2"}]}}, []),
        ({"find": "small", "filter": {}}, []),
        (aggregate({"$match": {"_id": "b1"}}, {"$lookup": JOIN}), []),
        (
            aggregate({"$match": {"_id": "b1"}}, {"$lookup": {**JOIN, "foreignField": "text"}}),
            ["pages: text"],
        ),
        (delete({"text": "x"}, 0), ["pages: text"]),
    ],
)
def test_what_asks_all_shards(command: dict[str, Any], asked: list[str]) -> None:
    assert list(scattered(command, keys=lambda name: SHARDED.get(str(name)))) == asked


def test_what_is_allowed_says_by_which_fields() -> None:
    router = Router()
    router.note({"find": "posts", "filter": {"author_id": "x", "state": "y"}}, within=False)
    assert router.problems(["posts: author_id"]) == []
    assert len(router.problems(["posts: group_id"])) == 1
    assert len(router.problems(["comments: author_id"])) == 1


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_declared_indexes_fit_the_shard_key(name: str) -> None:
    kept = COLLECTIONS[name]
    if kept.shard_key is not None:
        for each in kept.indexes:
            unique = bool(each.options.get("unique"))
            assert list(index_refused(dict(each.keys), kept.shard_key, unique=unique)) == []


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_a_write_by_id_alone_fails_where_it_would_be_refused(name: str) -> None:
    kept = COLLECTIONS[name]
    if kept.shard_key in (None, "_id"):
        assert kept.key_of("x") == kept.key_of({"_id": "x"}) == {"_id": "x"}
        return
    for target in ("x", {"_id": "x"}):
        with pytest.raises(TypeError, match=kept.shard_key):
            kept.key_of(target)
