"""Card numbers in free text."""

import time

import pytest

from core.cards import check_no_card, has_card_number, passes_luhn
from core.errors import UserError


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "5555-5555-5555-4444",
        "378282246310005",
        "6011 1111 1111 1117 please",
        "3530111333300000",
        "Flat 12 4242 4242 4242 4242 12/29",
        "4242\u00a04242\u20134242\u20134242",
        "\u0664\u0662\u0664\u0662 4242 4242 4242",
        "2720990000000007",
        "30569309025904",
        "6205500000000000004",
    ],
)
def test_a_card_number_in_a_text_is_found(text: str) -> None:
    assert has_card_number(text)
    with pytest.raises(UserError) as refused:
        check_no_card(text, field="note")
    assert (refused.value.code, refused.value.field) == ("CARD_DATA_REFUSED", ["note"])


@pytest.mark.parametrize(
    "text",
    [
        "5449000000996",
        "5901234123457",
        "+4915112345678",
        "79927398713",
        "4242 4242 4242 4243",
        "42424242424242424242424242424242",
        "4242, 4242, 4242, 4242",
        "9999 9999 9999 9995",
        "",
    ],
)
def test_what_a_card_network_gave_nobody_is_accepted(text: str) -> None:
    assert not has_card_number(text)
    check_no_card(text, field="note")
    check_no_card(None, field="note")


def test_luhn() -> None:
    assert passes_luhn("79927398713")
    assert not any(passes_luhn(f"7992739871{digit}") for digit in "012456789")


def test_a_text_of_nothing_but_digits_and_blanks_is_read_in_linear_time() -> None:
    began = time.process_time()
    has_card_number("1 " * 50_000 + "9" * 100_000)
    assert time.process_time() - began < 2
