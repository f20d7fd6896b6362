"""A person's data, in every collection there is: all comes with an export, none stays after the erasure.

Documents are made from the collections' types, so a new collection or field is in it by itself: a new
collection is refused until it says whose it is, and a new field is expected in the export.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from core import clock, ids
from core.context import PERSONAL, Context, Services
from core.jobs import run_due
from core.storage.store import COLLECTIONS
from jobs.auth.deletion import delete_accounts
from resolvers.auth import exports
from stores import auth as store
from stores.media import UploadStatus
from tests.auth.conftest import new_member, password_hash  # noqa: F401
from tests.chat.steps import open_chat, say
from tests.conftest import NewPhone
from tests.feed.steps import comment, publish
from tests.personal.known import NOT_PERSONAL, THROUGH_THE_API, WITHHELD
from tests.personal.planting import LEFT_OUT, MARK, mark, plant, texts
from tests.phone import Phone

"""Fields that an export leaves out, and why."""
KEPT_IDS = {
    "audit_entries": "who did what, for good; what is personal is sealed, and its key is gone",
    "audit_search": "who did what, for good, as in the entry",
    "audit_subject_keys": "that the key was destroyed: none is made anew",
    "changes": "phones learn from it what is gone; 90 days",
    "chats": "the pair whose chat it is; those they talked to keep it",
    "chat_members": "whom the other talked to",
    "messages": "who wrote what is cleared",
    "notifications": "whose comment or post others were told of; 30 days",
    "deletions": "that and when everything was erased; 400 days",
    "users": "a row without anything in it, so that the id is never another's",
    "follow_pairs": "two ids, for a minute",
    "receipts": "what others did, by references",
    "posts": "whom others mention, or whose post they shared",
    "comments": "whom others mention",
    "feed_affinities": "whom others are near, until it is built anew",
}
"""Places where the person's id, and nothing else of theirs, is left: docs/auth.md lists them."""
KEPT_IN = {"posts": {"mention_ids", "shared_author_id"}, "comments": {"mention_ids"}}
"""Fields of others' documents in which it is left, where not everywhere."""
COUNTERS = ("rate:", "feed:stale:")
"""Redis counts under the id how much was done lately, for a day at most."""


@dataclass
class Planted:
    phone: Phone
    email: str
    keys: list[str]
    """Objects in the store."""


def own(person: str, post: str, product: str, device: str, account: str) -> dict[str, Mapping[str, Any]]:
    """By collection, what makes a planted document the person's."""
    user, author, owner = {"user_id": person}, {"author_id": person}, {"owner_id": person}
    shown = {"media_ids": [], "group_id": LEFT_OUT, "shared_post_id": LEFT_OUT, "files": LEFT_OUT}
    folder = f"private/{'p' * 26}"
    return {
        "audit_custody": {"evidence_id": store_id(person, "evidence"), "received_by_id": person},
        "audit_exports": {"requested_by": person, "expires_at": clock.now()},
        "audit_evidence": {
            "_id": store_id(person, "evidence"),
            "collector_id": person,
            "org_id": PERSONAL,
            "file_key": f"evidence/{PERSONAL}/{store_id(person, 'evidence')}",
        },
        "audit_saved_queries": {**owner, "_id": store_id(person, "saved_audit_query")},
        "barcode_choices": user,
        "barcode_submissions": {**user, "case_id": None, "photos": [], "open_gtin": None},
        "barcode_warmup_sets": {**user, "_id": person},
        "scan_windows": user,
        "scans": {**user, "status": "UNMATCHED"},
        "stack_items": user,
        "stacks": user,
        "auth_flows": {**user, "account": account, "session_id": None},
        "auth_keys": user,
        "auth_locks": {"_id": account},
        "backup_codes": user,
        "blocks": {**user, "blocked_id": ids.new_id("user")},
        "carts": {
            **owner,
            "owner_key": person,
            "lines": [],
            "gone": [],
            "hold": None,
            "checkout": None,
            "expires_at": None,
            "line_ids": LEFT_OUT,
        },
        "checkout_quotes": {
            **owner,
            "owner_key": person,
            "lines": [],
            "issues": [],
            "discounts": [],
            "tax_lines": [],
            "shipping_option": None,
        },
        "chat_aliases": user,
        "chat_settings": {**user, "_id": store_id(person, "chat_settings")},
        "client_health": user,
        "consents": user,
        "deliveries": {**user, "fallback_of": None},
        "notification_receipts": {
            **user,
            "source": "SYSTEM",
            "acknowledgment": {
                "acknowledged_at": clock.now(),
                "received_at": clock.now(),
                "method": "BUTTON_CLICK",
                "response": mark("notification_receipts", "acknowledgment"),
                "sealed_location": None,
                "late": False,
            },
            "acknowledgment.sealed_location": None,
        },
        "recipients": {**user, "_id": store_id(person, "recipient")},
        "comments": {**author, "post_id": post, "parent_id": None},
        "grants": user,
        "data_exports": {**user, "status": "READY"},
        "devices": {**user, "_id": f"{person}/{device}", "device_id": device},
        "jobs": {
            "state": "DEAD",
            "task": "auth.write",
            "arguments": {"user": person, "said": mark("jobs", "a")},
        },
        "favorites": {**user, "status": "SAVED", "target_id": product},
        "favorite_dismissals": user,
        "favorite_list_items": user,
        "favorite_lists": user,
        "favorite_notices": user,
        "favorite_suggestions": {**user, "suggestions": []},
        "feed_inbox": user,
        "feed_affinities": {"_id": person},
        "hides": user,
        "impressions": user,
        "last_predictions": {**user, "product_id": product},
        "last_seen": {"_id": person},
        "media": {**owner, "folder": folder, "former_folders": [f"public/{'f' * 26}"], "main": "main.webp"},
        "media_links": {"_id": f"{ids.new_id('media')}|{post}", "record_id": post},
        "password_resets": user,
        "orders": {
            **user,
            "currency": "EUR",
            "lines": [],
            "shipping_option": None,
            "tax_lines": [],
            "timeline": [],
            "fulfillments": [],
            "return_ids": [],
        },
        "order_returns": {**user, "currency": "EUR", "order_id": ids.new_id("order"), "lines": []},
        "payers": {"_id": person},
        "payment_methods": user,
        "payments": {
            **owner,
            "currency": "EUR",
            "charge_ref": None,
            "key": "k",
            "part": "",
            "refunds": [],
            "subject_id": post,
        },
        "posts": {**author, **shown, "text": mark("posts", "text")},
        "posts_archive": {**author, **shown, "archived": True},
        "prediction_feedback": user,
        "privacy_choices": {"_id": person},
        "promotion_uses": user,
        "product_settings": {**user, "product_id": product},
        "quick_reorders": {**user, "lines": [], "awaited": []},
        "reorder_suggestions": {"_id": person, "suggestions": []},
        "reactions": {**user, "subject_id": post},
        "reports": {"reporter_id": person, "subject_id": ids.new_id("post"), "appeal": None},
        "reviews": {**user, "product_id": product},
        "security_events": user,
        "sessions": {**user, "status": "ENDED"},
        "share_links": user,
        "short_links": user,
        "telemetry": {**user, "device_id": None},
        "uploads": {**owner, "media_id": None, "status": UploadStatus.READY, "folder": None},
    }


def store_id(person: str, prefix: str) -> str:
    return f"{prefix}_{person.removeprefix('user_')}"


def test_every_collection_says_whose_it_is() -> None:
    planted = own("user_x", "post_x", "product_x", "device_x", "account")
    known = [*NOT_PERSONAL, *THROUGH_THE_API, *planted]
    declared = {
        # Tests declare some of their own; `meta` says which demo data a machine has.
        name
        for name, each in COLLECTIONS.items()
        if name != "meta" and not each.document.__module__.startswith("test")
    }
    assert sorted(known) == sorted(declared), "Say whose it is, and export and erase it in its system's jobs."


@pytest.fixture
async def ada(new_phone: NewPhone, new_member: Any, services: Services) -> Planted:  # noqa: F811
    """Somebody of whom there is something everywhere."""
    said = {name: mark("users", name) for name in ("first_name", "last_name", "bio", "job_role", "org")}
    email = await new_member("Ada", **said, phone_masked=mark("users", "phone_masked"))
    phone, bob = await new_phone(user_id=email.partition("@")[0]), await new_phone("Bob")
    post = await publish(bob)
    ctx = Context(services)
    from resolvers.auth import lockout

    await through_the_api(phone, bob, post)
    account = lockout.account_of(ctx, email)
    for name, fields in own(
        phone.user_id, post, ids.new_id("product"), ids.new_id("device"), account
    ).items():
        await plant(services, name, fields)
    appeal = {"subject_author_id": phone.user_id, "subject_id": ids.new_id("post"), "note": "theirs"}
    await plant(services, "reports", {**appeal, "appeal": mark("reports", "appeal"), "day": "another"})
    hidden = {
        "device_id": f"device:{phone.device_id}",
        "user_id": None,
        "properties": {"x": mark("telemetry", "p")},
    }
    await plant(services, "telemetry", {"_id": f"device:{phone.device_id}|1", **hidden})
    keys = [f"private/{'p' * 26}/main.webp", f"public/{'f' * 26}/main.webp"]
    for key in keys:
        await services.objects.put(key, f"{mark('media', 'file')}{key}".encode(), mime="image/webp")
    return Planted(phone, email, keys)


async def through_the_api(phone: Phone, bob: Phone, post: str) -> None:
    chat = await open_chat(phone, bob)
    await say(phone, chat, mark("messages", "text"))
    heard = await say(bob, chat, "Hello")
    for mutation, given in {
        "submitMessageReport": {
            "messageId": heard["id"],
            "reason": "SPAM",
            "note": mark("message_reports", "note"),
        },
        "createGroup": {"name": mark("groups", "name")},
        "followUser": {"userId": bob.user_id},
        "signUp": {},
    }.items():
        if given:
            assert (await phone.do(mutation, "__typename", **given))["errors"] == []
    await comment(phone, post, mark("comments", "api"))
    await publish(bob, "Look", mentions=[phone.user_id])
    await comment(bob, post, "Look", mentions=[phone.user_id])
    own_post = await publish(phone, mark("posts", "api"))
    shared = await bob.do("sharePost", "post { id }", postId=own_post, visibility="PUBLIC")
    assert shared["errors"] == []


def marks_of(text: str) -> set[tuple[str, str]]:
    found = re.findall(rf"{MARK}-([a-z_]+)-([\w.]+)-", text)
    return {(collection, field.partition(".")[0]) for collection, field in found}


async def everything(services: Services) -> dict[str, str]:
    """Each collection as one text, and what Redis holds."""
    names = await services.db.command({"listCollections": 1, "nameOnly": True})
    held = {}
    for row in names["cursor"]["firstBatch"]:
        held[row["name"]] = texts(await services.db.find(row["name"], {}, limit=100_000))
    kept = []
    for key in await services.redis.keys("*"):
        kept.append(key.decode(errors="replace"))
        if await services.redis.type(key) == b"string":
            kept.append(((await services.redis.get(key)) or b"").decode(errors="replace"))
        elif await services.redis.type(key) == b"hash":
            kept.append(repr(await services.redis.hgetall(key)))
        elif await services.redis.type(key) in (b"set", b"zset"):
            kept.append(repr(await services.redis.sort(key, by="nosort")))
    return {**held, "redis": "\n".join(kept)}


async def archive_of(services: Services, ada: Planted) -> dict[str, bytes]:
    done = await ada.phone.do("requestDataExport", "dataExport { id }")
    assert done["errors"] == []
    await run_due(services)
    body = b""
    async for piece in services.objects.read(exports.key_of(done["dataExport"]["id"])):
        body += piece
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_all_comes_with_an_export_and_none_stays_after_the_erasure(
    ada: Planted, services: Services
) -> None:
    await assert_exported(services, ada)
    await assert_erased(services, ada)


async def assert_exported(services: Services, ada: Planted) -> None:
    held = marks_of("\n".join((await everything(services)).values()))
    files = await archive_of(services, ada)
    told = marks_of(b"\n".join(files.values()).decode())
    sealed = {("messages", "text"), ("message_reports", "note")}
    sealed |= {(name, each.field) for name in own(*"abcde") for each in COLLECTIONS[name].sealed}
    withheld = {each for each in held | sealed if each in WITHHELD or (each[0], "*") in WITHHELD}
    assert sorted((held | sealed) - told - withheld) == []
    assert sorted(told & {*WITHHELD}) == []
    assert mark("media", "file").encode() in b"".join(
        body for name, body in files.items() if name.startswith("media/files/")
    )


async def assert_erased(services: Services, ada: Planted) -> None:
    change = {"status": "DELETION_SCHEDULED", "deletion_due_at": clock.now()}
    update = {"q": {"_id": ada.phone.user_id}, "u": {"$set": change}}
    await services.db.write({"update": "users", "updates": [update]})
    await delete_accounts(services)
    for key in ada.keys:
        # At once: no job has run yet.
        assert await services.objects.stat(key) is None
    await run_due(services)
    left = await everything(services)
    # In whose log an entry lies is hashed with it, and an organization is no person.
    for name in ("audit_entries", "audit_entry_state", "notifications"):
        left[name] = left[name].replace(mark("users", "org"), "organization")
    assert {name: sorted(marks_of(text)) for name, text in left.items() if MARK in text} == {}
    assert [name for name, text in left.items() if ada.email in text] == []
    person = ada.phone.user_id
    assert {name for name, text in left.items() if person in text} - {*KEPT_IDS} == {"redis"}
    for name, fields in KEPT_IN.items():
        rows = await services.db.find(name, {}, limit=100_000)
        found = {field for row in rows for field, value in row.items() if person in texts(value)}
        assert found == fields, name
    named = [line for line in left["redis"].splitlines() if person in line]
    assert [line for line in named if not line.startswith(COUNTERS)] == []
    for owner in (person, ada.phone.device_id):
        assert await services.db.find("receipts", {"_id": {"$regex": f"^{owner}:"}}) == []
    deletion = await store.deletions.by_id(services.db, person)
    assert deletion
    assert (deletion["state"], deletion.keys() & {"email", "device_ids"}) == ("DONE", set())
    for folder in ("private", "public", "incoming", "quarantine", "exports"):
        for kept in await services.objects.under(folder):
            body = b"".join([piece async for piece in services.objects.read(kept.key)])
            assert MARK.encode() not in body, kept.key
