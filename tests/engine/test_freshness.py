"""No synced field goes stale: each says what it is made of, and whatever of that changes is told."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from graphql import get_named_type

from core import jobs
from core.context import Context, Services
from core.graphql.build import Schema
from core.graphql.freshness import answers
from core.settings import Settings
from core.storage.store import COLLECTIONS
from server import lifespan, process, worker
from stores.auth import Role
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import on_sale, row, staff
from tests.chat.steps import open_chat, say
from tests.conftest import NewPhone
from tests.engine import freshness_carts as freshness_carts
from tests.engine import freshness_favorites as freshness_favorites
from tests.engine import freshness_parcels as freshness_parcels
from tests.engine import freshness_scans as freshness_scans
from tests.engine.freshness_reorders import ACTS
from tests.engine.freshness_world import Cache, World, done
from tests.engine.steps import befriend, post
from tests.engine.synced_fields import selection, stated, told
from tests.feed.steps import comment
from tests.phone import Failed, Phone, make_user, sign_in_directly

FOR_GOOD = {
    "Account": "user",
    "AuditExport": "format filter",
    "AuthKey": "kind name device",
    "BarcodeMapping": "gtin status confidence",
    "BarcodeSubmission": "barcode gtin submittedAt",
    "Cart": "anonymous",
    "CartLine": "unitPrice.currencyCode",
    "Chat": "participants peer",
    "Comment": "author parentId",
    "Evidence": "organizationId incidentId kind description collectorId uploadId evidenceFileName sizeBytes "
    "cryptographicHash",
    "Favorite": "kind targetId priceWhenSaved.amount priceWhenSaved.currencyCode",
    "FavoriteList": "kind",
    "Follow": "user",
    "Grant": "organization role scope scopeId user",
    "Group": "name privacy",
    "Message": "chat sender sentAt sequence attachments.kind attachments.fileName "
    "attachments.altText attachments.upload",
    "MessageReport": "note reason",
    "NotificationReceipt": "notification",
    "NotificationTemplate": "createdBy",
    "Order": "number orderSource cartId summary orderLines itemCount currencyCode subtotal discountTotal "
    "shippingOption shippingCost taxLines taxIncluded tax rounding total shippingAddress "
    "billingAddress note giftMessage refundedTotal.currencyCode",
    "OrderReturn": "order note returnLines.lineId returnLines.quantity returnLines.reason",
    "PaymentMethod": "kind cardBrand last4 expMonth expYear",
    "Post": "author group viewerCan.edit viewerCan.delete viewerCan.pin",
    "Recipient": "consents.channel",
    "Report": "reason note appeal",
    "Review": "viewerIsAuthor",
    # JSON, whose keys are looked at one by one.
    "SavedAuditQuery": "filter",
    "ScanRecord": "barcode gtin elements.batch elements.serial elements.expiresOn "
    "elements.netWeightKilograms matchedFrom deviceId scannedAt receivedAt timeZone",
    "SecurityEvent": "approximateLocation device ipMasked kind updatedAt version",
    "Session": "absoluteExpiresAt approximateLocation current device ipMasked",
    "StackItem": "stack addedFrom",
    "Upload": "fileName method mimeType partCount partSizeBytes purpose sha256 sizeBytes",
}
"""By type, fields that no act changes for who keeps the node."""


@pytest.fixture(scope="module")
def schema(settings: Settings) -> Schema:
    return lifespan.make_schema(settings)


def test_every_field_of_a_synced_type_says_how_fresh_it_is(schema: Schema) -> None:
    found = answers(schema._schema)
    assert [path for path, answer in found.items() if answer is None] == []
    assert len(found) > 150


def test_what_a_field_says_it_reads_is_kept(schema: Schema) -> None:
    named = {name for reads in told(schema._schema).values() for name in reads}
    assert named <= set(COLLECTIONS)


def test_what_is_not_told_says_so_to_who_reads_the_schema(schema: Schema) -> None:
    for path, answer in stated(schema._schema).items():
        name, *fields = path.split(".")
        type_: Any = schema._schema.type_map[name]
        for each in fields[:-1]:
            type_ = get_named_type(type_.fields[each].type)
        assert answer.bound in type_.fields[fields[-1]].description, path


@pytest.fixture
async def unlimited(settings: Settings) -> AsyncIterator[Services]:
    """A Landfall of its own, without rate limits: one person does in seconds what takes others a day.

    It takes documents that ask for every field of every synced type, as no app does.
    """
    unbounded = {"rate_scale": 1_000_000.0, "max_repeated_fields": 1_000}
    own = settings.model_copy(update={"mongo_database": "freshness", **unbounded})
    async with lifespan.services(own) as services:
        yield services


@pytest.fixture
async def world(unlimited: Services, http: aiohttp.ClientSession, schema: Schema) -> AsyncIterator[World]:
    async with worker.waking(unlimited), process.listening(unlimited) as port:

        async def new_phone(name: str = "Test", *, user_id: str | None = None, **fields: Any) -> Phone:
            person = user_id or await make_user(unlimited, name, **fields)
            return await sign_in_directly(unlimited, Phone(http, f"http://127.0.0.1:{port}/graphql"), person)

        yield await _world(unlimited, new_phone, schema)


async def _world(services: Services, new_phone: NewPhone, schema: Schema) -> World:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    rosa = await new_phone("Rosa", roles=[Role.MEMBER, Role.MODERATOR, Role.ADMIN])
    chosen = selection(schema._schema)
    query = (
        "query($since: SyncToken) { viewer { changes(since: $since, limit: 100) "
        f"{{ nodes {{ {chosen} }} deleted {{ id }} token hasMore }} }} }}"
    )
    caches = [Cache(phone, query) for phone in (ada, grace, hedy, rosa)]
    made = World(services, new_phone, ada, grace, hedy, rosa, caches, {})
    await _begin(made)
    while await jobs.run_due(services):
        continue
    for cache in caches:
        await cache.sync()
        await cache.sync()
    return made


async def _begin(w: World) -> None:
    await befriend(w.ada, w.grace)
    await done(w.hedy, "followUser", userId=w.ada.user_id)
    await done(w.grace, "followUser", userId=w.hedy.user_id)
    w.ids |= {"public": await post(w.ada), "friends": await post(w.ada, "FRIENDS")}
    w.ids["chat"] = chat = await open_chat(w.ada, w.grace)
    w.ids["hello"] = (await say(w.ada, chat, "Hello"))["id"]
    w.ids["answer"] = (await say(w.grace, chat, "Hi", replyToId=w.ids["hello"]))["id"]
    for name, phone, of in (("share", w.hedy, "public"), ("friendly share", w.grace, "friends")):
        shared = await done(phone, "sharePost", "post { id }", postId=w.ids[of], visibility="PUBLIC")
        w.ids[name] = shared["post"]["id"]
    group = await done(w.ada, "createGroup", "group { id }", name="Circle", privacy="OPEN")
    w.ids["group"] = group["group"]["id"]
    await done(w.grace, "joinGroup", groupId=w.ids["group"])
    given = {"text": "Us", "visibility": "GROUP", "groupId": w.ids["group"]}
    w.ids["inside"] = (await done(w.ada, "createPost", "post { id }", **given))["post"]["id"]
    for phone, name, of in ((w.grace, "grace said", "friends"), (w.hedy, "hedy said", "public")):
        w.ids[name] = await comment(phone, w.ids[of])
    await comment(w.grace, w.ids["inside"])
    await done(w.grace, "submitReport", subjectId=w.ids["hedy said"], reason="SPAM")
    reported = await done(
        w.ada, "submitMessageReport", "messageReport { id }", messageId=w.ids["answer"], reason="SPAM"
    )
    w.ids["message report"] = reported["messageReport"]["id"]
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    [product] = await on_sale(w.services, shop, row())
    w.ids["product"] = product["id"]


async def test_every_device_has_what_a_new_one_gets_after_every_act(
    world: World, schema: Schema, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.check("at first")
    for act, collections in ACTS:
        world.doing = collections
        await act(world)
        await world.check(act.__name__)
    with capsys.disabled():
        print(f"\nfreshness: {len(ACTS)} acts, {world.checks} devices, {world.fields:,} fields, 0 stale")
    unseen = [
        f"{path} by {name}"
        for path, reads in sorted(told(schema._schema).items())
        for name in sorted(reads)
        if (path, name) not in world.changed and not _for_good(path)
    ]
    assert unseen == [], "\n".join(unseen)


def _for_good(path: str) -> bool:
    """True if the field is constant for as long as its node exists."""
    type_, _, name = path.partition(".")
    constant = FOR_GOOD.get(type_, "").split()
    return name in ("id", "createdAt") or name in constant or name.partition(".")[0] in constant


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("{ viewer { changes { nodes { ... on Post { commentPreview { id } } } } } }", "commentPreview"),
        ("{ viewer { changes { nodes { ... on Comment { parent { id } } } } } }", "parent"),
        ("{ viewer { changes { nodes { ... on User { presence { status } } } } } }", "presence"),
        (
            "{ viewer { changes { nodes { ...One } } } } fragment One on Node { ...Two } "
            "fragment Two on Post { sharedPost { commentPreview { id } } }",
            "commentPreview",
        ),
    ],
)
async def test_what_is_not_synced_is_not_shown_inside_of_synced_nodes(
    new_phone: NewPhone, document: str, field: str
) -> None:
    answer = await (await new_phone("Ada")).ask(document)
    assert answer.code == "BAD_USER_INPUT"
    words = f"'{field}' is no part of what is synced: read it with the page that shows it."
    assert [error["message"] for error in answer.errors] == [words]


async def test_nor_where_documents_are_validated_without_the_gate(services: Services, schema: Schema) -> None:
    document = "{ viewer { changes { nodes { ... on Post { commentPreview { id } } } } } }"
    # Seen once it is the reference's, and compiled from then on.
    for _ in range(3):
        result = await schema.execute(document, context_value=Context(services))
        assert result.errors
        assert [error.message for error in result.errors] == [
            "'commentPreview' is no part of what is synced: read it with the page that shows it."
        ]


async def test_pages_show_what_is_not_synced_beside_changes(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    document = (
        "query($id: ID!) { viewer { changes { nodes { ... on Post { text } } } } post(id: $id) { ...One } } "
        "fragment One on Post { commentPreview { id } }"
    )
    assert (await ada.run(document, id=id))["post"] == {"commentPreview": []}


async def test_nor_in_what_is_told_live(new_phone: NewPhone) -> None:
    shown = "commentPreview { id }"
    live = (
        f"subscription {{ changeEvents {{ ... on NodeChanged {{ node {{ ... on Post {{ {shown} }} }} }} }} }}"
    )
    async with (await new_phone("Ada")).watch(live) as stream:
        with pytest.raises(Failed) as refused:
            await stream.next()
    assert refused.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"
