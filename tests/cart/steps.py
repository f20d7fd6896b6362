"""Steps shared by the tests of carts: customers, devices with a token, products, staff."""

import base64
import secrets
from typing import Any

import aiohttp

from core import ids
from core.context import Context, Services
from resolvers.cart import owners
from stores.cart import carts
from tests import confidential
from tests.catalog.steps import euros, on_sale, row, set_stock
from tests.phone import Phone

LINE = "id version quantity sku title status aliases options { name value } unitPrice { amount }"
NOW = "currentUnitPrice { amount currencyCode } lineTotal { amount } discount { amount }"
ISSUE = "code blocking lineId availableQuantity oldPrice { amount } newPrice { amount }"
CART = (
    "id version status anonymous itemCount currencyCode subtotal { amount currencyCode } "
    f"promotionCodes note giftMessage lines {{ {LINE} {NOW} cartIssues {{ {ISSUE} }} }}"
)
ADDED = f"cart {{ {CART} }} cartLine {{ {LINE} }}"
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "Hauptstr. 1",
    "city": "Berlin",
    "postalCode": "10115",
    "countryCode": "DE",
}


def line_id() -> str:
    return ids.new_id("cart_line")


def cart_token() -> str:
    """A token as an app mints it."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    confidential.TOKENS.add(token)
    return token


def device(http: aiohttp.ClientSession, address: str, token: str | None = None) -> Phone:
    """A device on which nobody is signed in, with the token of a cart."""
    token = token or cart_token()
    phone = Phone(http, f"{address}/graphql")
    phone.headers["X-Cart-Token"] = phone.parameters["cartToken"] = token
    return phone


async def products(services: Services, admin: Phone, *prices: str, stock: int = 40) -> list[dict[str, Any]]:
    """Products on sale at these prices, in order."""
    made = await on_sale(services, admin, *(row(price=price, stock=str(stock)) for price in prices))
    return [{**each, "variant": each["variants"][0]["id"]} for each in made]


async def variants(services: Services, admin: Phone, *prices: str, stock: int = 40) -> list[str]:
    """Their variants."""
    return [each["variant"] for each in await products(services, admin, *prices, stock=stock)]


async def add(phone: Phone, variant: str, quantity: int = 1, **more: Any) -> Any:
    """The payload of an addition."""
    item = {"productVariantId": variant}
    return await phone.do("addCartLine", ADDED, item=item, quantity=quantity, **more)


async def added(phone: Phone, variant: str, quantity: int = 1, **more: Any) -> Any:
    """The line of an addition that is not refused."""
    payload = await add(phone, variant, quantity, **more)
    assert payload["errors"] == [], payload["errors"]
    return payload["cartLine"]


async def shown(phone: Phone) -> Any:
    """The cart of who is signed in, or of the device."""
    if phone.token:
        return (await phone.run(f"{{ viewer {{ cart {{ {CART} }} }} }}"))["viewer"]["cart"]
    return (await phone.run(f"{{ anonymousCart {{ {CART} }} }}"))["anonymousCart"]


def codes(payload: Any) -> list[tuple[str, list[str] | None]]:
    """Codes of a payload's refusals, with their fields."""
    return [(each["code"], each["field"]) for each in payload["errors"]]


def issues(cart: Any) -> list[tuple[str, bool]]:
    """Issues of the cart's lines, newest line first."""
    return [(each["code"], each["blocking"]) for line in cart["lines"] for each in line["cartIssues"]]


async def priced(admin: Phone, variant: str, amount: str) -> None:
    done = await admin.do("setVariantPrice", "product { id }", productVariantId=variant, price=euros(amount))
    assert done["errors"] == []


async def stored(services: Services, phone: Phone) -> carts.Cart:
    """The open cart of a person as it is kept."""
    found = await owners.cart_of(Context(services), owners.Owner(phone.user_id, phone.user_id))
    assert found is not None
    return found


QUOTE = (
    "id token cartVersion expiresAt valid taxIncluded subtotal { amount } discountTotal { amount } "
    "shippingCost { amount } tax { amount } rounding { amount } total { amount } "
    "quoteLines { lineId variantId quantity unitPrice { amount } discount { amount } tax { amount } } "
    "discounts { code label amount { amount } } taxLines { name rate amount { amount } } "
    "shippingOption { shippingRateId label } shippingAddress { city } billingAddress { city } "
    "cartIssues { code blocking }"
)
VALIDATED = (
    f"cart {{ {CART} }} checkoutQuote {{ {QUOTE} }} "
    "shippingOptions { shippingRateId label price { amount } estimate { earliestOn latestOn } }"
)


async def validated(phone: Phone, **given: Any) -> Any:
    """The payload of a validation that is not refused."""
    payload = await phone.do("validateCart", VALIDATED, **given)
    assert payload["errors"] == [], payload["errors"]
    return payload


async def quoted(phone: Phone, **given: Any) -> Any:
    """The quote of a cart that is shipped to Berlin."""
    return (await validated(phone, shippingAddress=ADDRESS, **given))["checkoutQuote"]


async def ships(admin: Phone, price: str = "4.90", country: str = "DE", **more: Any) -> str:
    """A rate of shipping to a country; its id."""
    given = {"name": "Parcel", "minDays": 2, "maxDays": 4, **more}
    made = await admin.do(
        "createShippingRate",
        "shippingRate { id }",
        countryCodes=[country],
        price=euros(price),
        **given,
    )
    assert made["errors"] == [], made["errors"]
    return str(made["shippingRate"]["id"])


async def promotion(admin: Phone, **given: Any) -> Any:
    """A promotion; a tenth off by itself, if nothing else is said."""
    what = {"name": "Winter sale", "kind": "PERCENT", "percentOff": "10", **given}
    wanted = {name: value for name, value in what.items() if value is not None}
    made = await admin.do("createPromotion", "promotion { id code version }", **wanted)
    assert made["errors"] == [], made["errors"]
    return made["promotion"]


async def only(services: Services, *collections: str) -> None:
    """Empty these tables of the staff, which all tests share."""
    for name in collections:
        await services.db.write({"delete": name, "deletes": [{"q": {}, "limit": 0}]})


__all__ = ["euros", "set_stock"]
