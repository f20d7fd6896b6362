"""Weights of `Accept` fields, of clients that mean it and of those that do not."""

import time

import pytest

from core import messages
from core.values.weights import LONGEST, accepts, weights
from server import compression, http

HOSTILE = {
    "nothing": ("", {}),
    "commas alone": (",, ,\t,", {}),
    "a weight without a name": (";q=1, gzip", {"gzip": 1.0}),
    "blanks and capitals": (" GZIP ; Q = 0.5 ,br", {"br": 1.0, "gzip": 0.5}),
    "parameters before the weight": ("text/html;level=1;q=0.4;x=2", {"text/html": 0.4}),
    "a parameter that begins like a weight": ("gzip;quality=0", {"gzip": 1.0}),
    "many digits": ("gzip;q=0." + "3" * 50, {"gzip": 1 / 3}),
    "a weight of nothing": ("gzip;q=0.000", {"gzip": 0.0}),
    "a point without digits": ("gzip;q=1.", {"gzip": 1.0}),
    "more than one": ("gzip;q=1.5, br;q=2, zstd;q=1e9, a;q=1.001", {"gzip": 0, "br": 0, "zstd": 0, "a": 0}),
    "less than nothing": ("gzip;q=-1", {"gzip": 0.0}),
    "no number": ("gzip;q=, br;q=nan, zstd;q=inf, a;q=0.5_5", {"gzip": 0, "br": 0, "zstd": 0, "a": 0}),
    "digits of another script": ("gzip;q=0.\u0665", {"gzip": 0.0}),
    "two weights": ("gzip;q=0.3;q=1", {"gzip": 0.3}),
    "a name twice": ("gzip;q=0, gzip;q=0.7, gzip;q=0.2", {"gzip": 0.7}),
    "null bytes": ("\0;q=1, gzip", {"\0": 1.0, "gzip": 1.0}),
    "blanks without end": (" " * 8_000, {}),
    "a name without end": ("a" * 8_000, {}),
    "parameters without end": ("gzip" + ";" * 8_000, {}),
    "names without end": ("gzip," + "a," * 4_000, {"gzip": 1.0, "a": 1.0}),
}


@pytest.mark.parametrize(("field", "expected"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_field_has_weights_or_none(field: str, expected: dict[str, float]) -> None:
    assert weights(field) == pytest.approx(expected)


def test_the_best_comes_first_and_of_equals_the_one_named_first() -> None:
    field = "de;q=0.5, fr, en;q=0.5, it;q=0, es"
    assert list(weights(field)) == ["fr", "es", "de", "en", "it"]


def test_what_the_end_cuts_through_is_not_read() -> None:
    field = "x," * (LONGEST // 2 - 1) + "de-AT"
    assert len(field) > LONGEST
    assert weights(field) == {"x": 1.0}


def test_hostile_fields_take_not_long() -> None:
    started = time.perf_counter()
    for n in range(100):
        for written in ("a" * 8_000, "," * 8_000, ";q=" * 2_500, "a;q=0." + "1" * 8_000, "a-" * 4_000):
            field = f"{n}{written}"
            http.media_type(field), messages.language(field), compression.method(field)
    # A tenth of that, on a machine that does nothing else.
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    ("field", "chosen"),
    [
        (None, http.PLAIN_JSON),
        ("", http.PLAIN_JSON),
        ("*/*", http.PLAIN_JSON),
        ("application/*", http.RESPONSE_JSON),
        ("application/*, application/graphql-response+json;q=0", None),
        ("application/json;q=0, */*", None),
        ("application/json;q=0.2, application/graphql-response+json;q=0.3", http.RESPONSE_JSON),
        ("application/json;q=2", None),
        ("text/html, application/json;charset=utf-8;q=0.1", http.PLAIN_JSON),
    ],
)
def test_the_media_type_is_the_best_that_is_served(field: str | None, chosen: str | None) -> None:
    assert http.media_type(field) == chosen


@pytest.mark.parametrize(
    ("field", "language"),
    [("de;q=2, en;q=0.1", "en"), ("en;q=0, de;q=0.001", "de"), ("de;q=0", "en"), ("fr, *;q=0.1", "en")],
)
def test_the_language_is_the_best_there_is(field: str, language: str) -> None:
    assert messages.language(field) == language


@pytest.mark.parametrize(
    ("field", "method"), [("br;q=9, gzip;q=0.1", "gzip"), ("gzip;q=0, gzip", "gzip"), ("*;q=0", None)]
)
def test_the_compression_is_the_best_there_is(field: str, method: str | None) -> None:
    assert compression.method(field) == method


def test_a_stream_is_asked_for_by_its_name() -> None:
    assert http.streams("text/event-stream")
    assert http.streams("multipart/mixed;subscriptionSpec=1.0, application/json")
    assert not http.streams("text/event-stream;q=0, application/json")
    assert not http.streams("x-text/event-stream")
    assert not accepts("*/*", "text/html")
    assert not accepts(None, "text/html")
