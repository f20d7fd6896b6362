"""Amounts of payments, as clients read them."""

from collections.abc import Callable, Mapping
from typing import Any

from core.values.money import decimal


def money(field: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """An amount of a document, with its currency."""

    def shown(document: Mapping[str, Any]) -> dict[str, Any]:
        currency = document["currency"]
        return {"amount": decimal(document[field], currency), "currency_code": currency}

    return shown
