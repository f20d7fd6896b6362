"""Options of a line: pairs that customers choose, such as an engraving."""

from collections.abc import Sequence
from typing import TypedDict

from core.errors import BadUserInput, below
from core.values.bounds import check_count, check_length
from core.values.text import Line
from stores.cart.carts import Option

MOST_OPTIONS = 20
LONGEST = 200


class CartLineOption(TypedDict):
    """Option of a line, of which there is one of each name."""

    name: Line
    """Name of the option, such as `engraving`, 1 to 200 characters."""
    value: Line
    """Value that was chosen, at most 200 characters; case matters."""


def checked(options: Sequence[CartLineOption] | None) -> list[Option]:
    """Options as they are kept, in the order of their names; BAD_USER_INPUT for a name that comes twice."""
    given = options or ()
    check_count(given, most=MOST_OPTIONS, field="options")
    for each in given:
        with below("options"):
            check_length(each["name"], least=1, most=LONGEST, field="name")
            check_length(each["value"], most=LONGEST, field="value")
    if len({each["name"] for each in given}) < len(given):
        raise BadUserInput("An option has one value.")
    # Texts of inputs are composed (NFC) already, so equal pairs are equal here.
    return sorted(
        ({"name": str(each["name"]), "value": str(each["value"])} for each in given),
        key=lambda each: each["name"],
    )
