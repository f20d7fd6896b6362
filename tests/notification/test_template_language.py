"""Sandbox of templates: what can be written, and that nothing else can, however it is tried."""

import time
from decimal import Decimal

import pytest

from resolvers.notification.template_language import FILTERS, InvalidTemplate, Template, Value


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("Leave {{ where }}!", {"where": "B"}, "Leave B!"),
        ("Leave {{ where }}!", {}, "Leave !"),
        ("{{ where | default: 'home' | upcase }}", {}, "HOME"),
        ("{% if floor == '3' %}up{% else %}down{% endif %}", {"floor": "3"}, "up"),
        ("{% assign n = floor | plus: 1 %}{{ n }}", {"floor": 3}, "4"),
        ("{% if floor > 2 %}{{ floor }}{% endif %}", {"floor": Decimal("2.5")}, "2.5"),
        ("{% for n in (1..3) %}{{ n }}{% endfor %}", {}, "123"),
        ("{% for n in (1..100) reversed %}{% if n > 98 %}{{ n }}{% endif %}{% endfor %}", {}, "10099"),
        (
            "{{ price | times: 2 }}, {{ price | ceil }}, {{ price }}",
            {"price": Decimal("1.50")},
            "3.0, 2, 1.50",
        ),
        ("{{ 2 | times: price }}", {"price": Decimal("1.50")}, "3.0"),
        ("{% comment %}{{ where }}{% endcomment %}x", {}, "x"),
    ],
)
def test_texts_are_written(source: str, values: dict[str, Value], text: str) -> None:
    assert Template(source).render(values) == text


def test_values_are_never_taken_for_markup_and_stay_on_their_line() -> None:
    evil = "{{ secret }}{% for n in (1..9) %}x{% endfor %}\r\nBcc: all\u2028\x00"
    text = Template("{{ a }}").render({"a": evil, "secret": "s"})
    assert text == "{{ secret }}{% for n in (1..9) %}x{% endfor %}  Bcc: all  "


def test_variables_are_those_that_are_read_and_not_those_that_are_set() -> None:
    source = "{% assign b = a %}{{ b }}{% for n in (1..c) %}{{ n }}{{ forloop.index }}{% endfor %}"
    assert Template(source).variables == {"a", "c"}


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% capture x %}y{% endcapture %}",
        "{% tablerow n in (1..3) %}{% endtablerow %}",
        "{{ a | replace: 'a', 'aaaaaaaa' }}",
        "{{ 'now' | date: '%s' }}",
        "{{ a | base64_encode }}",
        "{{ a | safe }}",
        "{% raw",
        "{{ a",
        "{% if a %}",
        "{% if a %}" * 11 + "{% endif %}" * 11,
    ],
)
def test_what_a_template_may_not_do_is_no_template(source: str) -> None:
    with pytest.raises(InvalidTemplate):
        Template(source).render({"a": "a"})


@pytest.mark.parametrize(
    "source",
    [
        "{% for n in (1..1000000000) %}{% endfor %}",
        "{% for n in (1..1000000000) reversed %}{% endfor %}",
        "{% for n in (1..1000000000) reversed limit: 999999999 %}{% break %}{% endfor %}",
        "{% for n in (1..1000000000) offset: 999999999 %}{% endfor %}",
        "{{ 9 " + "| times: 999999999999999 " * 300 + "}}",
        "{{ 'nan' | plus: 1 | ceil }}",
        "{{ 'inf' | times: 1 }}",
        "{{ a " + "| append: a " * 600 + "| truncate: 1 }}",
        "{% for n in (1..100) %}{{ a " + "| upcase " * 800 + "| truncate: 0, '' }}{% endfor %}",
        "{% for a in (1..50) %}{% for b in (1..50) %}{% endfor %}{% endfor %}",
        "{% for n in (1..90) %}{{ a }}{{ a }}{{ a }}{% endfor %}",
        "{% assign x = a %}{% for n in (1..60) %}{% assign x = x | append: x %}{% endfor %}{{ x }}",
        "{% assign x = 9 %}{% for n in (1..99) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
    ],
)
def test_growth_is_stopped_soon(source: str) -> None:
    started = time.thread_time()
    with pytest.raises(InvalidTemplate):
        Template(source).render({"a": "a" * 1_000})
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    "source",
    [
        "{{ a.__class__ }}",
        "{{ a['__class__']['__mro__'] }}",
        "{{ a.format }}",
        "{{ forloop.__init__ }}",
        "{{ __builtins__ }}",
    ],
)
def test_objects_show_nothing_of_themselves(source: str) -> None:
    assert Template(source).render({"a": "x"}) == ""


def test_no_filter_takes_a_format_or_reads_anything() -> None:
    assert not FILTERS.keys() & {"date", "replace", "split", "escape", "safe", "newline_to_br", "json"}
