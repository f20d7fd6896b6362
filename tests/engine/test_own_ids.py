"""An id that is in use: the caller's own thing is shown beside the refusal, nobody else's ever is."""

from typing import Any

import pytest
from graphql import get_named_type

from core import ids, nodes
from core.context import Services
from core.settings import Settings
from server import lifespan
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import on_sale, row, staff
from tests.chat.steps import open_chat, say
from tests.conftest import NewPhone
from tests.feed.steps import befriend, publish
from tests.media import steps
from tests.phone import Phone


async def _post(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    return await ada.do("createPost", "post { id }", id=id, text="Mine")


async def _comment(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    return await ada.do("createComment", "comment { id }", id=id, postId=await publish(ada), text="Mine")


async def _share(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    post = await publish(grace, "Worth it", visibility="PUBLIC")
    return await ada.do("sharePost", "post { id }", id=id, postId=post)


async def _group(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    return await ada.do("createGroup", "group { id }", id=id, name="Sailors")


async def _upload(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    payload = await steps.create(ada, 100, id=id)
    return {**payload, "upload": payload["upload"] and {"id": payload["upload"]["id"]}}


async def _evidence(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    upload = await steps.created(ada, 100, purpose="EVIDENCE")
    told = {"kind": "DOCUMENT", "description": "Mine", "sha256": "0" * 64, "uploadId": upload["id"]}
    return await ada.do("collectEvidence", "evidence { id }", id=id, **told)


async def _chat(ada: Phone, grace: Phone, id: str) -> dict[str, Any]:
    return await ada.do("createChat", "chat { id }", id=id, userId=grace.user_id)


MAKERS = {
    "post": _post,
    "share": _share,
    "comment": _comment,
    "group": _group,
    "upload": _upload,
    "evidence": _evidence,
    "chat": _chat,
}


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_sync_engine_sends_its_own_again_under_another_key(new_phone: NewPhone, kind: str) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    await befriend(ada, grace)
    prefix = "post" if kind == "share" else kind
    id = ids.new_id(prefix)
    made = await MAKERS[kind](ada, grace, id)
    assert (made["errors"], made[prefix]) == ([], {"id": id})

    # A chat with the same person is the one there is; with another, the id is taken.
    again = await MAKERS[kind](ada, alan if kind == "chat" else grace, id)
    assert [each["code"] for each in again["errors"]] == ["ID_TAKEN"]
    assert (again[prefix], again["replayed"]) == ({"id": id}, False)

    taken = await MAKERS[kind](alan, grace, id)
    assert [each["code"] for each in taken["errors"]] == ["ID_TAKEN"]
    assert taken[prefix] is None


async def test_the_refusal_shows_it_when_it_is_replayed_too(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    id = await publish(ada)
    given = {"id": id, "text": "Again", "idempotencyKey": "twice"}
    first = await ada.do("createPost", "post { id text }", **given)
    assert (first["errors"][0]["code"], first["post"]["id"]) == ("ID_TAKEN", id)
    await ada.do("updatePost", "post { id }", postId=id, text="Changed meanwhile")
    second = await ada.do("createPost", "post { id text }", **given)
    assert second == {**first, "replayed": True, "post": {"id": id, "text": "Changed meanwhile"}}


async def test_what_one_may_see_but_did_not_make_is_not_shown(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    theirs = await publish(grace, "Public", visibility="PUBLIC")
    assert (await ada.run("query($id: ID!) { node(id: $id) { id } }", id=theirs))["node"] == {"id": theirs}
    taken = await ada.do("createPost", "post { id }", id=theirs, text="Mine")
    assert (taken["errors"][0]["code"], taken["post"]) == ("ID_TAKEN", None)


async def test_a_review_of_another_product_under_the_same_id(new_phone: NewPhone, services: Services) -> None:
    keeper, ada = await staff(new_phone, services, CATALOG_ADMIN), await new_phone("Ada")
    one, other = await on_sale(services, keeper, row(), row())
    id = ids.new_id("review")
    said = {"id": id, "rating": 5, "title": "Good", "body": "It works for me."}
    first = await ada.do("submitReview", "review { id }", productId=one["id"], **said)
    assert (first["errors"], first["review"]) == ([], {"id": id})
    second = await ada.do("submitReview", "review { id }", productId=other["id"], **said)
    assert ([each["code"] for each in second["errors"]], second["review"]) == (["ID_TAKEN"], {"id": id})


def test_every_mutation_that_takes_a_minted_id_can_show_what_has_it() -> None:
    """By the name of its type: what `core.mutations.idempotency` relies on."""
    schema = lifespan.make_schema(Settings())._schema
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        made = get_named_type(field.args["input"].type)
        id = getattr(made, "fields", {}).get("id")
        if id is None or str(id.type) != "ID" or name == "signUp":
            continue
        prefixes = {each for each in nodes.OWNERS if _camel(each) in get_named_type(field.type).fields}  # type: ignore[union-attr]
        assert prefixes, (
            f"{name}: say at the door whose such a thing is, and name the payload's field as its type"
        )


def _camel(prefix: str) -> str:
    first, *rest = prefix.split("_")
    return first + "".join(each.title() for each in rest)


async def test_an_id_is_in_use_on_whatever_shard_it_is(new_phone: NewPhone, services: Services) -> None:
    """MongoDB keeps `_id` unique on one shard alone where it is not the key; the log keeps it so on all."""
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat, other = await open_chat(ada, grace), await open_chat(alan, grace)
    message = (await say(ada, chat))["id"]
    # As if they lay on another shard than what is written now.
    for name, id in (("chats", chat), ("messages", message)):
        await services.db.write({"delete": name, "deletes": [{"q": {"_id": id}, "limit": 1}]})
    for mutation, input in (
        ("sendMessage", {"id": message, "chatId": other, "text": "Mine now"}),
        ("createChat", {"id": chat, "userId": ada.user_id}),
    ):
        answer = await alan.do(mutation, "", **input)
        assert [error["code"] for error in answer["errors"]] == ["ID_TAKEN"]
    assert await services.db.find("chat_members", {"chat_id": chat, "user_id": alan.user_id}) == []
