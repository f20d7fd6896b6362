"""Every connection of the first systems, as a list that can be paged and moved."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.ids import new_id
from stores import feed as store
from tests.feed.steps import insert_comments, insert_posts
from tests.phone import Phone, make_user

EDGES = "{ edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
ARGUMENTS = "$first: Int, $after: String, $last: Int, $before: String"
PAGE = "first: $first, after: $after, last: $last, before: $before"


@dataclass
class List:
    """A connection: how to ask for it, what is in it now, and how to add to it and take away."""

    phone: Phone
    document: str
    path: tuple[str, ...]
    insert: Callable[[datetime], Awaitable[str]]
    remove: Callable[[str], Awaitable[None]]
    variables: dict[str, str] = field(default_factory=dict)
    newest_first: bool = True
    most: int = 100
    """Items a page may have."""

    async def ask(self, **arguments: Any) -> Any:
        return await self.phone.ask(self.document, **self.variables, **arguments)

    async def page(self, **arguments: Any) -> Any:
        found = (await self.ask(**arguments)).data
        for name in self.path:
            found = found[name]
        return found


def shown(page: Any) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


async def feed(services: Services, phone: Phone, other: Phone) -> List:
    document = f"query({ARGUMENTS}) {{ viewer {{ feed(sort: NEWEST, {PAGE}) {EDGES} }} }}"
    return List(phone, document, ("viewer", "feed"), *_posts(services, other.user_id), most=50)


async def timeline(services: Services, phone: Phone, other: Phone) -> List:
    document = f"query($id: ID!, {ARGUMENTS}) {{ user(id: $id) {{ posts({PAGE}) {EDGES} }} }}"
    return List(
        phone, document, ("user", "posts"), *_posts(services, other.user_id), variables={"id": other.user_id}
    )


def _posts(services: Services, author: str) -> Any:
    async def insert(at: datetime) -> str:
        return (await insert_posts(services, author, [at]))[0]

    async def remove(id: str) -> None:
        await services.db.write({"delete": "posts", "deletes": [{"q": {"_id": id}, "limit": 1}]})

    return insert, remove


def comments(sort: str) -> Callable[[Services, Phone, Phone], Awaitable[List]]:
    async def make(services: Services, phone: Phone, other: Phone) -> List:
        [post] = await insert_posts(services, other.user_id, [None])
        field = f"comments(sort: {sort}, {PAGE})"
        document = f"query($id: ID!, {ARGUMENTS}) {{ post(id: $id) {{ {field} {EDGES} }} }}"
        path, newest_first = ("post", "comments"), sort == "NEWEST"
        ways = _comments(services, post, other.user_id, None)
        return List(phone, document, path, *ways, variables={"id": post}, newest_first=newest_first)

    return make


async def replies(services: Services, phone: Phone, other: Phone) -> List:
    [post] = await insert_posts(services, other.user_id, [None])
    [top] = await insert_comments(services, post, [other.user_id], [clock.now()])
    document = (
        f"query($id: ID!, {ARGUMENTS}) {{ node(id: $id) {{ ... on Comment {{ replies({PAGE}) {EDGES} }} }} }}"
    )
    ways = _comments(services, post, other.user_id, top)
    return List(phone, document, ("node", "replies"), *ways, variables={"id": top}, newest_first=False)


def _comments(services: Services, post: str, author: str, parent: str | None) -> Any:
    async def insert(at: datetime) -> str:
        return (await insert_comments(services, post, [author], [at], parent_id=parent))[0]

    async def remove(id: str) -> None:
        await services.db.write({"delete": "comments", "deletes": [{"q": {"_id": id}, "limit": 1}]})

    return insert, remove


async def followers(services: Services, phone: Phone, other: Phone) -> List:
    return _follow_list(services, phone, other, "followers")


async def following(services: Services, phone: Phone, other: Phone) -> List:
    return _follow_list(services, phone, other, "following")


def _follow_list(services: Services, phone: Phone, other: Phone, name: str) -> List:
    """The people are made here; the list shows them, and its edges are their follows."""
    document = f"query($id: ID!, {ARGUMENTS}) {{ user(id: $id) {{ {name}({PAGE}) {EDGES} }} }}"

    async def insert(at: datetime) -> str:
        person = await make_user(services, "Somebody")
        ends = (person, other.user_id) if name == "followers" else (other.user_id, person)
        await _follow(services, ends, at)
        return person

    async def remove(person: str) -> None:
        side = "follower_id" if name == "followers" else "followee_id"
        whole = {"follower_id": other.user_id, "followee_id": other.user_id, side: person}
        await services.db.write({"delete": "follows", "deletes": [{"q": whole, "limit": 1}]})

    return List(phone, document, ("user", name), insert, remove, variables={"id": other.user_id})


async def _follow(services: Services, ends: tuple[str, str], at: datetime) -> None:
    ctx = Context(services)
    row = {"_id": new_id("follow"), "follower_id": ends[0], "followee_id": ends[1], "state": "FOLLOWING"}

    async def insert() -> None:
        ctx.tx.skip_log(await ctx.tx.insert(store.follows, {**row, "mutual": False, "created_at": at}))

    await ctx.unit(insert)


async def sessions(services: Services, phone: Phone, other: Phone) -> List:
    """One's own session is always there: it has the earliest last use, so it is the last of the list."""
    document = f"query({ARGUMENTS}) {{ viewer {{ account {{ sessions({PAGE}) {EDGES} }} }} }}"
    [own] = await services.db.find("sessions", {"_id": phone.session_id})
    early = clock.now() - timedelta(days=20)
    await _set_last_seen(services, phone.session_id, early)

    async def insert(at: datetime) -> str:
        row = {**own, "_id": new_id("session"), "last_seen_at": at}
        await services.db.write({"insert": "sessions", "documents": [row]})
        return str(row["_id"])

    async def remove(id: str) -> None:
        await services.db.write({"delete": "sessions", "deletes": [{"q": {"_id": id}, "limit": 1}]})

    return List(phone, document, ("viewer", "account", "sessions"), insert, remove)


async def _set_last_seen(services: Services, id: str, at: datetime) -> None:
    update = {"q": {"_id": id}, "u": {"$set": {"last_seen_at": at}}}
    await services.db.write({"update": "sessions", "updates": [update]})


MAKERS = {
    "feed": feed,
    "timeline": timeline,
    "comments, newest first": comments("NEWEST"),
    "comments, oldest first": comments("OLDEST"),
    "replies": replies,
    "followers": followers,
    "following": following,
    "sessions": sessions,
}
