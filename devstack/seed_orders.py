"""Demo orders: what people bought in the last year, with its way through the statuses."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson

from core.security.crypto import Keyring
from core.storage.mongo import Database
from core.values import money
from devstack import seed_parcels
from devstack.seed_chats import Stamps
from stores import order as store
from stores.catalog import products
from stores.catalog.kinds import ProductStatus
from stores.order import OrderActor, OrderSource, OrderStatus

Document = dict[str, Any]

SOLD_FROM = 60
"""Products that are ordered."""
MOST_ORDERS = 6
MOST_LINES = 4
SHIPPING = 490
STREETS = ("Lindenstr.", "Hauptstr.", "Gartenweg", "Am Markt", "Bergstr.")
CITIES = (("Berlin", "10115"), ("Hamburg", "20095"), ("Leipzig", "04109"), ("Bremen", "28195"))
LISTS = ("Monthly supplements", "For the gym", "Travel kit", "For Mum", "Winter stock")
"""Names of lists to order again."""
WAY = (
    (OrderStatus.CREATED, OrderActor.CUSTOMER, timedelta()),
    (OrderStatus.PROCESSING, OrderActor.GATEWAY, timedelta(seconds=3)),
    (OrderStatus.SHIPPED, OrderActor.CARRIER, timedelta(hours=20)),
    (OrderStatus.DELIVERED, OrderActor.CARRIER, timedelta(days=3)),
)
"""Statuses of an order, each with who brings it there, and when."""


async def of_shop(
    db: Database, maker: Stamps, rng: Random, users: Sequence[Document], crypto: Keyring, end: datetime
) -> dict[str, list[Document]]:
    """By synced type: orders in the order of their numbers, returns of some, and lists to order again."""
    on_sale = {"status": ProductStatus.ACTIVE, "currency": money.USUAL_CURRENCY}
    found = await products.products.find(db, on_sale, sort=[("_id", 1)], limit=SOLD_FROM)
    shop = [dict(each) for each in found]
    placed = [
        (max(user["created_at"], end - timedelta(minutes=rng.randrange(1, 500_000))), user)
        for user in users
        for _ in range(rng.randint(1, MOST_ORDERS) if shop else 0)
    ]
    placed.sort(key=lambda each: (each[0], each[1]["_id"]))
    orders = [
        _order(maker, rng, crypto, user, shop, store.FIRST_NUMBER + place, at, end)
        for place, (at, user) in enumerate(placed, start=1)
    ]
    orders, returns = seed_parcels.of_orders(maker, rng, orders, crypto, end)
    return {"ORDER": orders, "ORDER_RETURN": returns, "QUICK_REORDER": lists_of(maker, rng, orders)}


def _order(
    maker: Stamps,
    rng: Random,
    crypto: Keyring,
    user: Document,
    shop: Sequence[Document],
    number: int,
    at: datetime,
    end: datetime,
) -> Document:
    id = maker.id("order", at)
    chosen = rng.sample(list(shop), min(len(shop), rng.randint(1, MOST_LINES)))
    lines = [_line(maker, rng, product, at) for product in chosen]
    subtotal = sum(line["unit_price"] * line["quantity"] for line in lines)
    currency = money.USUAL_CURRENCY
    came = [(status, actor, at + after) for status, actor, after in WAY if at + after <= end]
    timeline = [
        {"status": status, "at": moment, "actor": actor, "note": None} for status, actor, moment in came
    ]
    note = rng.choice((None, None, "Please ring twice."))
    address = _address(rng, user)
    private = {"shipping_address": address, "billing_address": address, "note": note, "gift_message": None}
    option = {"shipping_rate_id": maker.id("shipping_rate", at), "label": "Parcel", "quoted_at": at}
    return {
        "_id": id,
        "user_id": user["_id"],
        "number": number,
        "status": timeline[-1]["status"],
        "source": OrderSource.CART,
        "source_order_id": None,
        "cart_id": None,
        "quote_id": None,
        "key": "",
        "currency": currency,
        "lines": lines,
        "subtotal": subtotal,
        "discount_total": 0,
        "shipping": SHIPPING,
        "shipping_option": {**option, "price": SHIPPING, "currency": currency, "min_days": 2, "max_days": 4},
        "tax_lines": [],
        "tax_included": True,
        "tax": 0,
        "rounding": 0,
        "total": subtotal + SHIPPING,
        "sealed": crypto.seal(orjson.dumps(private).decode(), place=store.order_place(id)),
        "timeline": timeline,
        "cancel_reason": None,
        "refunded_total": 0,
        "fulfillments": [],
        "return_ids": [],
        "search_terms": store.terms_of(number, lines),
        **maker.stamps(at),
        "version": len(timeline),
        "updated_at": came[-1][2],
    }


def _line(maker: Stamps, rng: Random, product: Document, at: datetime) -> Document:
    variant = product["variants"][0]
    return {
        "line_id": maker.id("cart_line", at),
        "variant_id": variant["_id"],
        "product_id": product["_id"],
        "sku": variant["sku"],
        "name": product["name"],
        "brand": product["brand"],
        "image_id": product["image_ids"][0] if product["image_ids"] else None,
        "options": [],
        "quantity": rng.choice((1, 1, 1, 2, 3)),
        "unit_price": variant["price"],
        "discount": 0,
        "tax": 0,
        "currency": product["currency"],
        "shipped_quantity": 0,
        "returned_quantity": 0,
        "returning_quantity": 0,
    }


def _address(rng: Random, user: Document) -> Document:
    city, postal_code = rng.choice(CITIES)
    return {
        "name": f"{user['first_name']} {user['last_name']}",
        "company": None,
        "line1": f"{rng.choice(STREETS)} {rng.randint(1, 120)}",
        "line2": None,
        "city": city,
        "region": None,
        "postal_code": postal_code,
        "country_code": "DE",
        "phone": None,
    }


def lists_of(maker: Stamps, rng: Random, orders: Sequence[Document]) -> list[Document]:
    """Lists to order again, made of orders: at most one of each person for each of the names."""
    kept: dict[str, int] = {}
    made = []
    for order in orders:
        position = kept.get(order["user_id"], 0)
        if position == len(LISTS) or rng.random() > 0.4:
            continue
        kept[order["user_id"]] = position + 1
        made.append(_list_of(maker, order, position))
    return made


def _list_of(maker: Stamps, order: Document, position: int) -> Document:
    at = order["timeline"][-1]["at"]
    names = ("line_id", "variant_id", "product_id", "quantity", "options")
    return {
        "_id": maker.id("quick_reorder", at),
        "user_id": order["user_id"],
        "name": LISTS[position],
        "lines": [{name: line[name] for name in names} for line in order["lines"]],
        "source_order_id": order["_id"],
        "position": position,
        "last_used_at": None,
        "awaited": [],
        **maker.stamps(at),
    }
