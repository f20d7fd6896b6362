"""Amounts of payments, as clients read them."""

from collections.abc import Callable, Mapping
from typing import Any

from core.values.money import shown


def money(field: str) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """An amount of a document, with its currency."""

    def read(document: Mapping[str, Any]) -> dict[str, str]:
        return shown(document[field], document["currency"])

    return read


def optional_money(field: str) -> Callable[[Mapping[str, Any]], dict[str, str] | None]:
    """An amount that a document may not have yet."""

    def read(document: Mapping[str, Any]) -> dict[str, str] | None:
        return None if document[field] is None else shown(document[field], document["currency"])

    return read
