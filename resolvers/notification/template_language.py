"""Template language of notifications: Liquid, of which only what cannot do harm.

Texts with variables, conditions, assignments and short loops. Nothing is read but the values that are given:
no attribute of an object, no other template, no clock. Filters whose output can grow beyond their input are
left out, and so are those that take a format: what is written is bounded by what is given. Filters may follow
each other, in loops as well, so their number and each result are bounded too.
"""

import functools
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, TextIO

from liquid import Environment, RenderContext
from liquid.builtin import content, illegal, output
from liquid.builtin.filters import math, misc, string
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, for_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError, LoopIterationLimitError, ResourceLimitError
from liquid.template import BoundTemplate

MOST_ROUNDS, MOST_FILTERS = 100, 10_000
"""Rounds of all loops, and uses of filters, while a text is written."""
LONGEST_RESULT, LARGEST_RESULT = 4_096, 10**18
"""Text and number that a filter makes at most."""


class _ShortFor(for_tag.ForNode):
    """A loop that counts its rounds before it takes a first one: a range may be reversed, or begun late."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        found = self.expression.iterable.evaluate(context)
        if isinstance(found, range) and found.stop - found.start > MOST_ROUNDS:
            raise LoopIterationLimitError("loop iteration limit reached", token=self.token)
        return super().render_to_output(context, buffer)


class _ForTag(for_tag.ForTag):
    node_class = _ShortFor


TAGS = (
    content.Literal,
    output.Output,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    _ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    comment_tag.CommentTag,
)
FILTERS = {
    "append": string.append,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "capitalize": string.capitalize,
    "ceil": math.ceil,
    "default": misc.default,
    "divided_by": math.divided_by,
    "downcase": string.downcase,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "prepend": string.prepend,
    "remove": string.remove,
    "round": math.round_,
    "strip": string.strip,
    "times": math.times,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
}


Value = str | int | Decimal


class InvalidTemplate(ValueError):
    """Not a template, or one that does more than it may; the text says what, without values."""


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which counts, and makes nothing too large to go on with."""
    computes = function.__module__ == math.__name__

    @functools.wraps(function)
    def filtered(*given: Any, context: RenderContext, **named: Any) -> Any:
        used = context.tag_namespace["filters"] = context.tag_namespace.get("filters", 0) + 1
        if used > MOST_FILTERS:
            raise ResourceLimitError("filter limit reached", token=None)
        if computes:
            # The library takes a decimal for no number.
            given = tuple(float(each) if isinstance(each, Decimal) else each for each in given)
        made = function(*given, **named)
        if isinstance(made, str) and len(made) > LONGEST_RESULT:
            raise ResourceLimitError("text limit reached", token=None)
        if isinstance(made, int | float) and not -LARGEST_RESULT < made < LARGEST_RESULT:
            raise ResourceLimitError("number limit reached", token=None)
        return made

    filtered.with_context = True  # type: ignore[attr-defined]
    return filtered


class _Sandbox(Environment):
    block_nesting_limit: ClassVar[int] = 10
    context_depth_limit: ClassVar[int] = 10
    loop_iteration_limit: ClassVar[int | None] = MOST_ROUNDS
    local_namespace_limit: ClassVar[int | None] = 16_384
    output_stream_limit: ClassVar[int | None] = 16_384

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, _bounded(function))


SANDBOX = _Sandbox()


class Template:
    """A text with variables; InvalidTemplate."""

    def __init__(self, source: str) -> None:
        self._parsed = _parsed(source)
        self.variables = frozenset(self._parsed.analyze(include_partials=False).globals)
        """Names of the variables that it reads."""

    def render(self, values: Mapping[str, Value]) -> str:
        """The text with these values, one-line and without control characters; others are empty.

        Values are never taken for markup of the template; each channel escapes the text as its form asks.
        """
        try:
            return self._parsed.render(**{name: _printable(value) for name, value in values.items()})
        except (LiquidError, ArithmeticError, ValueError, TypeError) as problem:
            raise InvalidTemplate(_said(problem)) from None


def _parsed(source: str) -> BoundTemplate:
    try:
        return SANDBOX.from_string(source)
    except LiquidError as problem:
        raise InvalidTemplate(_said(problem)) from None


def _said(problem: Exception) -> str:
    """Problem in the library's words, cut to one line."""
    said = problem.args[0] if problem.args else type(problem).__name__
    return str(said)[:200]


def _printable(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    return "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in value)
