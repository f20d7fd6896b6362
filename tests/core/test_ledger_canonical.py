"""Canonical JSON: the examples of RFC 8785, and the rules on top of it."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.ledger import canonical

SAFE = canonical.SAFE_INTEGER
WELL_FORMED = st.characters(exclude_categories=["Cs"])
"""Characters without halves of surrogate pairs: these are refused, and have a test of their own."""
NAMES = st.text(WELL_FORMED.filter(lambda each: each != "\0"), max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(WELL_FORMED),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def test_a1_the_sample_of_the_rfc() -> None:
    sample = (
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA'
        r"'\u0042\u0022\u005c\\\"\/"
        r'","literals":[null,true,false]}'
    )
    text = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert rfc8785.dumps(json.loads(sample)).decode() == text


def test_a1_keys_are_sorted_by_their_utf_16_units() -> None:
    keys = ["\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical.encode(dict.fromkeys(reversed(keys))))) == keys


@pytest.mark.parametrize(
    ("number", "text"),
    [(-0.0, "0"), (1.0, "1"), (5e-324, "5e-324"), (1e30, "1e+30"), (SAFE, "9007199254740991")],
)
def test_a1_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    assert rfc8785.dumps(number).decode() == text


@pytest.mark.parametrize(
    ("number", "stored"),
    [
        (0, 0),
        (-0.0, 0),
        (1.0, 1),
        (SAFE, SAFE),
        (-SAFE, -SAFE),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (2.0**53, "9007199254740992"),
        (10**400, "1" + "0" * 400),
        (1e30, "1e+30"),
        (4.50, "4.5"),
        (5e-324, "5e-324"),
    ],
)
def test_number_2_53_in_details_is_a_string_and_so_is_what_is_no_integer(
    number: float, stored: object
) -> None:
    normalized = canonical.normalize({"details": [number]})
    assert repr(normalized) == repr({"details": [stored]})


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), "\ud800", "a\udfff", {"\ud83d": 1}, [["\ud83d"]]]
)
def test_nan_or_half_a_surrogate_pair_in_details_is_bad_user_input(value: object) -> None:
    with pytest.raises(BadUserInput):
        canonical.normalize({"details": value})


def test_values_are_nested_up_to_a_bound() -> None:
    deep: object = 1
    for _ in range(canonical.MAX_DEPTH):
        deep = [deep]
    assert canonical.normalize(deep) == deep
    with pytest.raises(BadUserInput, match="at most 64 deep"):
        canonical.normalize([deep])


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {1, 2}, object()])
def test_what_is_no_json_is_a_bug(value: object) -> None:
    with pytest.raises(TypeError):
        canonical.normalize(value)


@pytest.mark.parametrize(
    "value", [1.5, 1.0, 2**53, "\ud800", {"\ud800": 1}, {1: 2}, b"bytes", [{"a": (0.0,)}]]
)
def test_what_is_not_normalized_is_not_encoded(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical.encode(value)


def test_an_absent_field_is_null_and_an_undeclared_one_a_bug() -> None:
    assert canonical.hash_input({"b": 1}, ("a", "b")) == b'{"a":null,"b":1}'
    assert canonical.hash_input({"a": None, "b": 1}, ("a", "b")) == b'{"a":null,"b":1}'
    with pytest.raises(ValueError, match="Not among the hashed fields: c"):
        canonical.hash_input({"a": 1, "c": 2}, ("a", "b"))


@given(VALUES)
def test_normalizing_is_idempotent_and_its_text_says_the_same_to_every_reader(value: object) -> None:
    normalized = canonical.normalize(value)
    assert canonical.normalize(normalized) == normalized
    text = canonical.encode(normalized)
    assert json.loads(text) == normalized
    assert canonical.encode(json.loads(text)) == text
