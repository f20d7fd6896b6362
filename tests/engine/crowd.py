"""People who do at random what people do, from queues that their phones flush."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core import clock, ids
from core.context import Viewer
from tests.engine import cart_acts, payment_acts, scan_acts, stack_acts
from tests.engine.flushes import Act, Queue, document
from tests.engine.replicas import World
from tests.phone import key

MUTATIONS = {
    "createPost": "CreatePostInput",
    "updatePost": "UpdatePostInput",
    "deletePost": "DeletePostInput",
    "createComment": "CreateCommentInput",
    "updateComment": "UpdateCommentInput",
    "deleteComment": "DeleteCommentInput",
    "setReaction": "SetReactionInput",
    "followUser": "FollowUserInput",
    "unfollowUser": "UnfollowUserInput",
    "muteUser": "MuteUserInput",
    "blockUser": "BlockUserInput",
    "unblockUser": "UnblockUserInput",
    "addFavorite": "AddFavoriteInput",
    "removeFavorite": "RemoveFavoriteInput",
    "moveFavorite": "MoveFavoriteInput",
}
WEIGHTS = (10, 8, 4, 8, 3, 4, 8, 12, 4, 2, 3, 4, 5, 3, 3)

HOT = 0.4
"""Share of comments and reactions that go to one post: contention."""
CREATED = {"createPost": "post { id }", "createComment": "comment { id }"}
MOST = 50
"""Acts of one document."""


@dataclass
class Person:
    """Somebody with a queue of what they did, and a diary: a post that is updated in every way but one, in
    order and once each."""

    viewer: Viewer
    queue: Queue = field(default_factory=Queue)
    diary: str = field(default_factory=lambda: ids.new_id("post"))
    entries: int = 0
    minted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Ids by their prefix, as their phone minted them."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self) -> None:
        given = {"id": self.diary, "text": "0", "visibility": "PRIVATE"}
        self.queue.waiting.append(Act("createPost", given, "post { id }"))

    def write(self) -> Act:
        """The next entry of the diary."""
        self.entries += 1
        return Act("updatePost", {"postId": self.diary, "text": str(self.entries)}, "post { version }")


@dataclass
class Crowd:
    """People who do at random what people do, and flush their queues."""

    world: World
    dice: random.Random
    people: list[Viewer]
    posts: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    authors: dict[str, Viewer] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    """Why acts had to come again."""
    flushes: int = 0
    hottest: int = 0
    """Comments and reactions of the post that has most of them."""

    hot: str = field(default_factory=lambda: ids.new_id("post"))
    """A post of the first person that many comment on and react to at once."""
    hot_is_there: bool = False

    def __post_init__(self) -> None:
        self.persons = [Person(each) for each in self.people]
        for person in self.persons:
            person.begin()
        given = {"id": self.hot, "text": "hot", "visibility": "PUBLIC"}
        self.persons[0].queue.waiting.append(Act("createPost", given, "post { id }"))

    async def act(self) -> None:
        """Somebody does one thing or many, and their phone flushes its queue: it may lose the connection."""
        dice = self.dice
        person = dice.choice(self.persons)
        for _ in range(dice.choices([1, dice.randint(2, 8), dice.randint(9, MOST)], [60, 36, 4])[0]):
            person.queue.waiting.extend(self._acts(person))
        cut = dice.uniform(0, 0.1) if dice.random() < 0.15 else None
        # A phone flushes one document at a time.
        async with person.busy:
            await self._flush(person, cut)

    async def drain(self) -> None:
        """Everything that is queued lands, whatever it has to wait for."""
        for person in self.persons:
            for _ in range(1_000):
                wait = await self._flush(person, None)
                if not person.queue.waiting:
                    break
                clock.shift(timedelta(seconds=wait + 3_600))
            assert not person.queue.waiting, person.queue.told

    async def _flush(self, person: Person, cut: float | None) -> int:
        """The seconds that what is left has to wait."""
        batch = person.queue.head(MOST)
        if not batch:
            return 0
        self.flushes += 1
        settled = len(person.queue.done)
        query, variables = document(batch)
        try:
            body = await asyncio.wait_for(self.world.send(person.viewer, query, variables), cut)
        except TimeoutError:
            body = None
        before = Counter(person.queue.told)
        wait = person.queue.settle(batch, body)
        self.told += person.queue.told - before
        for act, payload in person.queue.done[settled:]:
            self._settled(person, act, payload)
        return wait

    def _settled(self, person: Person, act: Act, payload: dict[str, Any]) -> None:
        """Refusals are part of life."""
        refused = payload["errors"]
        self.done[refused[0]["code"] if refused else act.mutation] += 1
        if not refused and act.mutation == "createPost" and act.input["id"] == self.hot:
            # It is nobody's to change or delete.
            self.hot_is_there = True
        elif not refused and act.mutation == "createPost" and act.input["id"] != person.diary:
            self._wrote(self.posts, payload["post"]["id"], person.viewer)
        elif not refused and act.mutation == "createComment":
            self._wrote(self.comments, payload["comment"]["id"], person.viewer)

    async def check(self) -> None:
        """Nothing was lost, doubled, or done in another order than it was queued."""
        db = self.world.services.db
        for person in self.persons:
            [diary] = await db.by_ids("posts", [person.diary])
            # Every entry is an edit of its own, and the last one is what is there.
            assert (diary["version"], diary["text"]) == (person.entries + 1, str(person.entries))
            versions = [
                payload["post"]["version"]
                for act, payload in person.queue.done
                if act.mutation == "updatePost" and act.input["postId"] == person.diary
            ]
            assert versions == sorted(versions)
            for act, payload in person.queue.done:
                if act.mutation == "createComment" and act.input.get("text", "").startswith("own"):
                    assert payload["errors"] == [], "What depends on a post was refused for good."
            await self._check_shopping(person.viewer.user_id, person.queue.done)
        await self._check_counts()
        for collection in ("posts", "comments"):
            rows = await db.find(collection, {"author_id": {"$in": [each.user_id for each in self.people]}})
            texts = Counter(row["text"] for row in rows if len(row["text"] or "") > 20)
            assert max(texts.values(), default=1) == 1, "Something was done twice."

    async def _check_shopping(self, user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
        db = self.world.services.db
        await cart_acts.check(db, self.world.products, user_id, done)
        await scan_acts.check(db, user_id, done)
        await stack_acts.check(db, user_id, done)
        await payment_acts.check(db, self.world.gateway, user_id, done)

    async def _check_counts(self) -> None:
        """Counters that many moved at once are exact."""
        db = self.world.services.db
        for post in await db.by_ids("posts", [self.hot, *self.posts]):
            comments = await db.find("comments", {"post_id": post["_id"], "author_id": {"$ne": None}})
            reactions = await db.find("reactions", {"subject_id": post["_id"]})
            found = (post["comment_count"], sum(post["reactions"].values()))
            assert found == (len(comments), len(reactions)), post["_id"]
            self.hottest = max(self.hottest, len(comments) + len(reactions))

    def _acts(self, person: Person) -> list[Act]:
        """Next acts of a person: an entry of the diary, a post with its first comment, or anything else."""
        dice, choice = self.dice, self.dice.random()
        if choice < 0.1:
            return [person.write()]
        if choice < 0.2:
            # Nobody knows of the post before both are there.
            id = ids.new_id("post")
            return [
                Act("createPost", {"id": id, "text": f"own {key()}"}, "post { id }"),
                Act("createComment", {"postId": id, "text": f"own {key()}"}, "comment { id }"),
            ]
        if choice < 0.37 and self.world.products:
            return [self._shopping(choice, person.minted)]
        [name] = dice.choices(list(MUTATIONS), WEIGHTS)
        given = self._input(name, person.viewer)
        return [] if given is None else [Act(name, given, CREATED.get(name, ""))]

    def _shopping(self, choice: float, minted: dict[str, list[str]]) -> Act:
        dice, products = self.dice, self.world.products
        if choice < 0.3:
            return cart_acts.one(dice, products, minted["cart_line"])
        if choice < 0.31:
            return payment_acts.one(dice, minted["payment_method"])
        if choice < 0.335:
            return scan_acts.one(dice, self.world.codes, minted["scan_record"])
        return stack_acts.one(dice, products, stack_acts.Minted(minted["stack"], minted["stack_item"]))

    def _wrote(self, ids: list[str], id: str, viewer: Viewer) -> None:
        ids.append(id)
        self.authors[id] = viewer

    def _input(self, name: str, viewer: Viewer) -> dict[str, Any] | None:
        dice = self.dice
        visibility = dice.choice(["PUBLIC", "FRIENDS", "PRIVATE"])
        text = key()
        if name == "createPost":
            return {"id": ids.new_id("post"), "text": text, "visibility": visibility}
        if name.endswith("User"):
            return {"userId": dice.choice([each for each in self.people if each != viewer]).user_id}
        if name.endswith("Favorite"):
            return self._favorite(name)
        mine = viewer if dice.random() < 0.8 else None
        if name in ("updateComment", "deleteComment"):
            id = self._recent(self.comments, mine)
            return id and ({"commentId": id, "text": text} if name == "updateComment" else {"commentId": id})
        if name == "setReaction":
            id = self._subject() or self._recent(self.posts + self.comments)
            return id and {"subjectId": id, "kind": dice.choice(["LIKE", "LOVE", None])}
        if name == "createComment":
            id = self._subject() or self._recent(self.posts)
            parent = self._recent(self.comments) if dice.random() < 0.2 else None
            return id and {"postId": id, "text": text, **({"parentId": parent} if parent else {})}
        id = self._recent(self.posts, mine)
        changes = dice.choice([{"text": text}, {"visibility": visibility}])
        return id and ({"postId": id, **changes} if name == "updatePost" else {"postId": id})

    def _favorite(self, name: str) -> dict[str, Any] | None:
        """Few products, so that devices of a person meet at them."""
        products = self.world.products
        if not products:
            return None
        target, other = self.dice.choices(products, k=2)
        return {"targetId": target, **({"afterTargetId": other} if name == "moveFavorite" else {})}

    def _subject(self) -> str | None:
        """The hot post, every now and then."""
        return self.hot if self.hot_is_there and self.dice.random() < HOT else None

    def _recent(self, ids: list[str], author: Viewer | None = None) -> Any:
        found = [id for id in ids[-30:] if author is None or self.authors[id] == author]
        return self.dice.choice(found) if found else None
