"""A small world to act on, and inputs for every mutation: what is required, and one value more."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    build_schema,
    get_named_type,
    get_nullable_type,
)

from core import clock, ids
from core.context import Context, Services
from stores.audit.roles import AUDIT_ADMIN, COMPLIANCE_OFFICER
from stores.auth import Role
from stores.catalog import stock
from stores.catalog.roles import BARCODE_REVIEWER, CATALOG_STAFF
from stores.notification.roles import NOTIFY_ADMIN
from stores.order import orders
from tests.barcode.steps import new_code
from tests.catalog.steps import on_sale, row, staff
from tests.chat.steps import open_chat, say
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, publish
from tests.order.placing import placed
from tests.phone import Phone, granted, key
from tests.test_schema import SNAPSHOT

SCHEMA: GraphQLSchema = build_schema(SNAPSHOT.read_text())
MUTATIONS: Mapping[str, Any] = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
Path = tuple[str, ...]

NEW = {"createNotificationTemplate": ("name",), "createStack": ("name",)}
"""Inputs that are given once."""
OWN_STACK = "Own"
"""Name of the stack that is there from the beginning."""
RECORDS = {"AuditEntryRecordInput": "audit_entry", "ScanRecordInput": "scan_record"}
"""Items of batches, which need an id, with its prefix."""
ANONYMOUS = frozenset({"signUp", "signIn", "verifyOtp", "verifyBackupCode", "requestPasswordReset"})
"""Mutations for those who are not signed in."""


def inputs_of(mutation: str) -> GraphQLInputObjectType:
    type = get_named_type(MUTATIONS[mutation].args["input"].type)
    assert isinstance(type, GraphQLInputObjectType)
    return type


def field_at(mutation: str, path: Path) -> GraphQLInputField:
    """Field of the input that a path leads to."""
    type: Any = inputs_of(mutation)
    for name in path[:-1]:
        type = get_named_type(type.fields[name].type)
    found: GraphQLInputField = type.fields[path[-1]]
    return found


def leaves(type: GraphQLInputObjectType, *kinds: str) -> Iterator[Path]:
    """Paths of the input's values of these types, however deep."""
    for name, each in type.fields.items():
        named = get_named_type(each.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from ((name, *rest) for rest in leaves(named, *kinds))
        elif named.name in kinds:
            yield (name,)


@dataclass
class World:
    """Things by the names that inputs call them; `of` holds what one mutation calls otherwise."""

    ada: Phone
    bob: Phone
    named: dict[str, Any]
    of: dict[str, dict[str, Any]]
    uploads: list[str]
    """Each may be attached once."""

    def input(self, phone: Phone, mutation: str, path: Path, value: Any) -> dict[str, Any]:
        """The least that is required, and the value at its path."""
        self.named["deviceId"] = phone.device_id
        whole: dict[str, Any] = {"idempotencyKey": key(), **copy.deepcopy(self.of.get(mutation, {}))}
        whole |= {name: key() for name in NEW.get(mutation, ())}
        _put(whole, inputs_of(mutation), path, value)
        return self._complete(whole, inputs_of(mutation))

    def _complete(self, given: dict[str, Any], type: GraphQLInputObjectType) -> dict[str, Any]:
        for name, each in type.fields.items():
            if name in given:
                given[name] = self._deeper(given[name], each.type)
            elif name == "id" and type.name == "DeviceInput":
                given[name] = self.named["deviceId"]
            elif name == "id" and type.name in RECORDS:
                given[name] = ids.new_id(RECORDS[type.name])
            elif isinstance(each.type, GraphQLNonNull) and each.default_value is Undefined:
                given[name] = self._value(name, each.type.of_type)
        return given

    def _deeper(self, value: Any, type: Any) -> Any:
        named = get_named_type(type)
        if value is None or not isinstance(named, GraphQLInputObjectType):
            return value
        if isinstance(value, list):
            return [self._complete(each, named) for each in value]
        return self._complete(value, named)

    def _value(self, name: str, type: Any) -> Any:
        if name == "uploadId":
            return self.uploads.pop()
        if name in self.named:
            return self.named[name]
        if isinstance(type, GraphQLList):
            inner = get_named_type(type)
            return [self._complete({}, inner)] if isinstance(inner, GraphQLInputObjectType) else []
        if isinstance(type, GraphQLInputObjectType):
            return self._complete({}, type)
        if isinstance(type, GraphQLEnumType):
            return next(iter(type.values))
        if type.name == "ID":
            return ids.new_id(name.removesuffix("Id").lower() or "post")
        plain = {"String": "Fine", "Int": 1, "Boolean": False, "Decimal": "1.00", "Float": 1.0}
        moment = (clock.now() + timedelta(hours=1)).isoformat()
        return {**plain, "DateTime": moment, "JSON": {}}[type.name]


def _put(whole: dict[str, Any], type: GraphQLInputObjectType, path: Path, value: Any) -> None:
    name, *rest = path
    each = get_nullable_type(type.fields[name].type)
    listed = isinstance(each, GraphQLList)
    if not rest:
        whole[name] = [value] if listed else value
        return
    inner = get_named_type(each)
    assert isinstance(inner, GraphQLInputObjectType)
    if listed:
        whole[name] = whole.get(name) or [{}]
    held = whole.setdefault(name, {})
    if inner.is_one_of:
        held = whole[name] = {each: given for each, given in held.items() if each == rest[0]}
    _put(held[0] if listed else held, inner, tuple(rest), value)


async def make_world(new_phone: NewPhone, services: Services) -> World:
    """Two friends who talk, write and shop; Ada may do everything, in her organization too."""
    ada = await staff(new_phone, services, *CATALOG_STAFF, BARCODE_REVIEWER, name="Ada")
    bob = await new_phone("Bob")
    roles = {"roles": list(Role), "org": "acme"}
    await services.db.write(
        {"update": "users", "updates": [{"q": {"_id": ada.user_id}, "u": {"$set": roles}}]}
    )
    ada = await new_phone(user_id=ada.user_id)
    own = (AUDIT_ADMIN, COMPLIANCE_OFFICER, NOTIFY_ADMIN)
    await granted(services, ada, *own, scope_id="acme")
    await befriend(ada, bob)
    chat, post, other = await open_chat(ada, bob), await publish(ada), await publish(bob)
    said, heard = await say(ada, chat), await say(bob, chat)
    mine, theirs = await comment(ada, post), await comment(bob, post)
    [product] = await on_sale(services, ada, row())
    variant = product["variants"][0]["id"]
    reviewed = await bob.do("submitReview", "review { id }", productId=product["id"], rating=5)
    limited, judge = await publish(ada), await new_phone("Judge", roles=[Role.MODERATOR])
    reported = await bob.do("submitReport", "report { id }", subjectId=limited, reason="SPAM")
    assert reported["errors"] == []
    done = await judge.do(
        "decideModeration", "subject { id }", subjectId=limited, action="LIMIT", reason="Because"
    )
    assert done["errors"] == [], done["errors"]
    scanning = await _scanning(ada, product["id"], variant)
    texts: dict[str, Any] = {"titleTemplate": "Fine", "messageTemplate": "Fine", "variables": []}
    template = await ada.do("createNotificationTemplate", "notificationTemplate { id }", name=key(), **texts)
    item = {"productVariantId": variant}
    line = await ada.do("addCartLine", "cartLine { id }", item=item)
    sale: dict[str, Any] = {"name": "Sale", "kind": "FREE_SHIPPING"}
    promotion = await ada.do("createPromotion", "promotion { id }", **sale)
    euro = {"amount": "1.00", "currencyCode": "EUR"}
    parcel: dict[str, Any] = {
        "name": "Parcel",
        "countryCodes": ["DE"],
        "price": euro,
        "minDays": 1,
        "maxDays": 2,
    }
    shipping = await ada.do("createShippingRate", "shippingRate { id }", **parcel)
    vat: dict[str, Any] = {"name": "VAT", "countryCode": "DE", "rate": "7", "included": False}
    tax = await ada.do("createTaxRate", "taxRate { id }", **vat)
    wish = {"targetId": product["id"]}
    assert (await ada.do("addFavorite", "favorite { id }", **wish))["errors"] == []
    wishes = await ada.do("createFavoriteList", "favoriteList { id }", kind="PRODUCT", name=key())
    again: dict[str, Any] = {"items": [{**item, "quantity": 1}]}
    kept = {"name": OWN_STACK, "contents": again}
    quick = await ada.do("saveQuickReorder", "quickReorder { id }", **kept)
    named = {
        **scanning,
        "quickReorderId": quick["quickReorder"]["id"],
        "fulfillmentId": await _packed(services, bob, variant),
        "orderReturnId": ids.new_id("order_return"),
        "item": item,
        "favoriteListId": wishes["favoriteList"]["id"],
        "cartLineId": line["cartLine"]["id"],
        "promotionId": promotion["promotion"]["id"],
        "shippingRateId": shipping["shippingRate"]["id"],
        "taxRateId": tax["taxRate"]["id"],
        "countryCode": "DE",
        "countryCodes": ["DE"],
        "notificationTemplateId": template["notificationTemplate"]["id"],
        "postId": post,
        "chatId": chat,
        "userId": bob.user_id,
        "productId": product["id"],
        "productVariantId": variant,
        "inventoryLevelId": stock.level_id(variant),
        "currencyCode": "EUR",
        "reviewId": reviewed["review"]["id"],
        "subjectId": theirs,
        "mimeType": "image/jpeg",
        "fileName": "photo.jpg",
        "purpose": "CHAT_ATTACHMENT",
        "email": "fine@example.com",
        "password": "correct horse battery",
        "newPassword": "correct horse battery",
        "acceptedTermsVersion": "1",
        "roles": ["MEMBER"],
        "locale": "en",
        "timeZone": "UTC",
    }
    of = {
        "updateMessage": {"messageId": said["id"]},
        "placeLegalHold": {"target": {"subjectId": ada.user_id}},
        "acknowledgeNotification": {"target": {"notificationId": ids.new_id("notification")}},
        "submitMessageReport": {"messageId": heard["id"]},
        "updatePost": {"postId": post},
        "updateComment": {"commentId": mine},
        "updateChat": {"chatId": chat},
        "sharePost": {"postId": post},
        "appealModeration": {"subjectId": limited},
        "enableTwoFactor": {"method": "EMAIL"},
        "sendMessage": {"attachments": []},
        "revokeUserSessions": {"userId": bob.user_id},
        "recordPredictionFeedback": {"usageRate": "1.0"},
        "setFeedExperiment": {"name": "trial", "variants": [{"name": "one", "sharePercent": 100}]},
        "submitReport": {"subjectId": other},
        "createNotificationTemplate": texts,
        "addStackItem": {"target": {"stackId": scanning["stackId"]}},
        "createPromotion": {"percentOff": "5"},
        "saveQuickReorder": {"contents": again},
        "addFavorite": wish,
        "updateFavorite": wish,
    }
    return World(ada, bob, named, of, [await _upload(ada) for _ in range(30)])


async def _scanning(ada: Phone, product_id: str, variant_id: str) -> dict[str, Any]:
    """A scan, a submission with its case, a mapping and a stack, and a code to go on with."""
    code, scan = new_code(), {"matchedFrom": "MANUAL", "scannedAt": clock.now().isoformat()}
    scanned = await ada.do("recordScan", "scanRecord { id }", code=code, timeZone="UTC", **scan)
    sent = await ada.do("submitBarcode", "barcodeSubmission { id }", code=code)
    queue = await ada.run("{ barcodeReviewQueue { edges { node { id } } } }")
    mapped = {"code": new_code(), "productVariantId": variant_id}
    mapping = await ada.do("setBarcodeMapping", "barcodeMapping { id }", **mapped)
    item = {"productId": product_id, "addedFrom": "MANUAL"}
    made = await ada.do("createStack", "stack { id items { id } }", name=OWN_STACK, items=[item])
    return {
        "code": code,
        "scanRecordId": scanned["scanRecord"]["id"],
        "barcodeSubmissionId": sent["barcodeSubmission"]["id"],
        "reviewCaseId": queue["barcodeReviewQueue"]["edges"][0]["node"]["id"],
        "barcodeMappingId": mapping["barcodeMapping"]["id"],
        "stackId": made["stack"]["id"],
        "stackItemId": made["stack"]["items"][0]["id"],
    }


async def _packed(services: Services, phone: Phone, variant: str) -> str:
    """A parcel of an order."""
    order, ctx, id = await placed(services, phone, variant), Context(services), ids.new_id("fulfillment")
    parcel = {"fulfillment_id": id, "version": 1, "lines": [], "carrier": "DHL", "tracking_number": None}
    fulfillments = [{**parcel, "status": "PENDING", "events": []}]
    await ctx.unit(lambda: ctx.tx.edit(orders, order, {"fulfillments": fulfillments}))
    return id


async def _upload(phone: Phone) -> str:
    given = {"purpose": "CHAT_ATTACHMENT", "fileName": "a.jpg", "mimeType": "image/jpeg", "sizeBytes": 100}
    made = await phone.do("createUpload", "upload { id }", **given)
    assert made["errors"] == []
    return str(made["upload"]["id"])


async def unlimited(services: Services) -> None:
    """Forget who did how much, and the stacks and quick reorders that were made."""
    made = {"q": {"name": {"$ne": OWN_STACK}}, "limit": 0}
    for name in ("stacks", "quick_reorders"):
        await services.db.write({"delete": name, "deletes": [made]})
    for pattern in ("rate:*", "tally:*"):
        if keys := await services.redis.keys(pattern):
            await services.redis.delete(*keys)


def document(mutation: str) -> str:
    payload = get_named_type(MUTATIONS[mutation].type)
    assert isinstance(payload, GraphQLObjectType)
    input = inputs_of(mutation).name
    results = "results { errors { code field } }" if "results" in payload.fields else ""
    shown = f"errors {{ code field message }} {results}"
    return f"mutation($input: {input}!) {{ {mutation}(input: $input) {{ {shown} }} }}"


async def outcome(phone: Phone, mutation: str, input: Mapping[str, Any]) -> list[Any]:
    """Codes and fields of what is refused; a fault of ours is none, and a field is one of the input's."""
    refused = await judged(phone, document(mutation), mutation, {"input": input})
    assert all(is_path(inputs_of(mutation), field) for _, field in refused if field), refused
    return refused


def is_path(type: object, field: list[str]) -> bool:
    """True for a path to a value in an input, with places in lists by their number."""
    if not field:
        return True
    first, *rest = field
    if first.isdecimal():
        return is_path(type, rest)
    return (
        isinstance(type, GraphQLInputObjectType)
        and first in type.fields
        and is_path(get_named_type(type.fields[first].type), rest)
    )


async def judged(phone: Phone, query: str, field: str, variables: Mapping[str, Any]) -> list[Any]:
    answer = await phone.ask(query, **variables)
    codes = [(error["extensions"]["code"], None) for error in answer.errors]
    assert answer.status in (200, 400), answer.body
    assert not {code for code, _ in codes} & {"INTERNAL", "TIMEOUT"}, answer.body
    payload = (answer.body.get("data") or {}).get(field) or {}
    payload = payload if isinstance(payload, dict) else {}
    codes += [(error["code"], error["field"]) for error in payload.get("errors", ())]
    # Of a batch, the refusals of its items.
    errors = [error for each in payload.get("results") or () for error in each["errors"]]
    lists = [name for name, given in variables.get("input", {}).items() if isinstance(given, list)]
    return codes + [(error["code"], [*lists, *(error["field"] or ())]) for error in errors]
