"""Field declarations: the functions with which a schema module declares its fields."""

import inspect
import typing
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from core import nodes
from core.audit import Audited
from core.graphql.annotations import LATE, graphql_type
from core.graphql.arguments import acts_of
from core.graphql.bindings import (
    Binding,
    Computed,
    Derived,
    Many,
    MutationField,
    One,
    Plain,
    Resolver,
    Spec,
    Stream,
)
from core.graphql.inputs import is_input, taken
from core.paging import DEFAULT_PAGE
from core.security.access import guarded, holds_any
from core.storage.loader import Loader
from core.values.money import shown

STANDARD = {
    "id": "Id of the {thing} to read.",
    "ids": "Ids of the {thing} to read, at most 100.",
    "first": f"Number of edges to return from the start, 1 to 100; {DEFAULT_PAGE} when no size is given.",
    "after": "Cursor after which the page begins.",
    "last": "Number of edges to return from the end, 1 to 100.",
    "before": "Cursor before which the page ends.",
    "filter": "Conditions that narrow the list, joined by AND.",
    "sort": "Order in which the list is sorted.",
    "input": "Input of the mutation, with its idempotency key.",
}
"""Descriptions of arguments that mean the same everywhere; `thing` is what the field is called."""


PAGE_ARGUMENTS: dict[str, Any] = {
    "first": (int | None, None),
    "after": (str | None, None),
    "last": (int | None, None),
    "before": (str | None, None),
}
"""Name to (annotation, default) of what every connection takes."""


class BoundField(StrawberryField):
    """A Strawberry field whose value comes from its binding."""

    @property
    def binding(self) -> Binding:
        bound: Binding = self.metadata["binding"]
        return bound

    @property
    def is_basic_field(self) -> bool:
        return isinstance(self.binding, (Plain, Derived))

    @property
    def is_async(self) -> bool:
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        # Basic fields are read without info; their bindings ask for no context.
        ctx: Any = info.context if info is not None else None
        if isinstance(self.binding, MutationField):
            if info.path.key in ctx.completed_mutations:
                return _outcome_of(ctx.completed_mutations[info.path.key])
            return self.binding.perform(ctx, kwargs, partial(acts_of, info))
        return self.binding.resolve(source, ctx, kwargs)


def _outcome_of(outcome: Any) -> Any:
    """Return the outcome of a mutation that ran before its answer was restarted, or raise its error."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def key(name: str) -> Any:
    """A plain key of the document under another name."""
    return Spec(Plain(name))


def derived(function: Callable[[Any], Any], *reads: str) -> Any:
    """A value computed from the document alone, of which it `reads` these keys."""
    return Spec(Derived(function, reads))


def money(name: str) -> Any:
    """An amount in minor units of the document's `currency`; null where the document has none."""
    return derived(partial(_money, name), name, "currency")


def _money(name: str, document: Mapping[str, Any]) -> dict[str, str] | None:
    amount = document[name]
    return None if amount is None else shown(amount, document["currency"])


def local(
    function: Callable[..., Any],
    *reads: str,
    given: Mapping[str, Sequence[str]] | None = None,
    **descriptions: str,
) -> Any:
    """A value computed from context and document, of which it `reads` these keys; nothing is awaited.

    The function's keyword arguments are the field's; `given` names, by argument, what it reads besides where
    the client gives that one.
    """
    return Spec(Computed(function, reads, given or {}), _arguments(function, 2), descriptions)


def one(loader: type[Loader[Any, Any]], *, key: str) -> Any:
    """A reference, loaded in batches by the key the document holds."""
    return Spec(One(loader, key))


def many(loader: type[Loader[Any, Any]], *, key: str) -> Any:
    """References by a list of keys the document holds."""
    return Spec(Many(loader, key))


def field(
    resolver: Callable[..., Awaitable[Any]],
    *,
    reads: Sequence[str] | None = None,
    roles: Collection[str] = (),
    **descriptions: str,
) -> Any:
    """A resolver of context and document, its keyword arguments being the field's.

    `reads` are the keys that it takes of a document, which is read whole where they are not given; with
    `roles`, only they may read it.
    """
    return Spec(
        _call(resolver, root=False, roles=roles, reads=reads),
        _arguments(resolver, 2),
        descriptions,
        roles=tuple(roles),
    )


def batched(
    resolver: Callable[..., Awaitable[list[Any]]],
    *,
    roles: Collection[str] = (),
    reads: Sequence[str] | None = None,
    **descriptions: str,
) -> Any:
    """A field whose resolver answers many documents at once, in their order; `reads` are as in `field`.

    A resolver that takes `shown` is told the keys of its answers that are asked for; none where one cannot
    tell.
    """
    taken = _arguments(resolver, 2)
    wants_projection = taken.pop("shown", None) is not None
    call = _call(
        _alone(resolver),
        root=False,
        batch=resolver,
        roles=roles,
        reads=reads,
        wants_projection=wants_projection,
    )
    return Spec(call, taken, descriptions, roles=tuple(roles))


def _alone(resolver: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[Any]]:
    """A resolver of many documents as one of a single document."""

    async def alone(ctx: Any, document: Any, **arguments: Any) -> Any:
        [value] = await resolver(ctx, [document], **arguments)
        return value

    return alone


def visible(key: str) -> Any:
    """A reference by the id that the document holds under a key: null where its access guard hides it."""

    async def seen(ctx: Any, documents: Sequence[Mapping[str, Any]]) -> list[Any]:
        found = await nodes.visible(ctx, [id for each in documents if (id := each[key]) is not None])
        return [found.get(each[key]) for each in documents]

    return batched(seen, reads=[key])


def _call(
    resolver: Callable[..., Awaitable[Any]],
    *,
    root: bool,
    page: int | None = None,
    batch: Callable[..., Awaitable[list[Any]]] | None = None,
    roles: Collection[str] = (),
    reads: Sequence[str] | None = None,
    default_size: int = 0,
    wants_projection: bool = False,
    audit: Audited | None = None,
) -> Resolver:
    inputs = _inputs(batch or resolver)
    if roles:
        resolver = guarded(resolver, roles, audit)
        batch = batch and guarded(batch, roles)
    return Resolver(
        resolver,
        root=root,
        page=page,
        batch=batch,
        inputs=inputs,
        reads=None if reads is None else tuple(reads),
        default_size=default_size,
        wants_projection=wants_projection,
    )


def connection(
    resolver: Callable[..., Awaitable[Any]],
    *,
    either_end: bool = False,
    batched: bool = False,
    reads: Sequence[str] | None = None,
    roles: Collection[str] = (),
    **descriptions: str,
) -> Any:
    """A Relay connection of a document: the resolver takes the paging arguments as one, `args`.

    With `either_end` the resolver decides itself from which end a page is when the client names none. A
    `batched` one answers many documents at once, in their order. `reads` are the keys that it takes of a
    document, which is read whole where they are not given. With `roles`, only they may read it.
    """
    call = _call(
        _alone(resolver) if batched else resolver,
        root=False,
        page=0 if either_end else DEFAULT_PAGE,
        default_size=DEFAULT_PAGE,
        batch=resolver if batched else None,
        roles=roles,
        reads=reads,
    )
    return Spec(call, _paged(_arguments(resolver, 2)), descriptions, roles=tuple(roles))


def _paged(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**{name: each for name, each in arguments.items() if name != "args"}, **PAGE_ARGUMENTS}


def query(
    resolver: Callable[..., Awaitable[Any]],
    *,
    roles: Collection[str] = (),
    audit: Audited | None = None,
    max_age: int | Callable[[Mapping[str, Any]], int] | None = None,
    **descriptions: str,
) -> Any:
    """A field of `Query`: a resolver of the context alone; with `roles`, only they may read it.

    `audit` puts on record that others tried. What is read is put on record by the resolver itself.
    With `max_age` anybody may keep what is answered to nobody in particular for so many seconds.

    It is a connection if the resolver takes `args`. An argument that is a TypedDict is an input object.
    """
    arguments = _arguments(resolver, 1)
    page = DEFAULT_PAGE if "args" in arguments else None
    call = _call(resolver, root=True, page=page, roles=roles, audit=audit)
    if page is not None:
        arguments = _paged(arguments)
    return Spec(call, arguments, descriptions, roles=tuple(roles), max_age=max_age)


def told(spec: Any, *sources: str) -> Any:
    """Declares the collections that a synced field is made of beside its own: their changes log the node."""
    return replace(spec, sources=sources)


def dated(spec: Any, bound: str) -> Any:
    """Declares of a field of a synced type what is not told; the sentence is part of its description."""
    return replace(spec, dated=bound)


def unsynced(spec: Any, instead: str) -> Any:
    """Declares a field that is not shown inside of synced nodes; the sentence says how to read it instead."""
    return replace(spec, unsynced=instead)


def deprecated(spec: Any, use: str, *, until: str) -> Any:
    """Marks a field or mutation that goes after a day (`2027-06-30`); `use` is what replaces it."""
    return replace(spec, deprecated=f"Use `{use}`. Until {date.fromisoformat(until)}.")


def personal(spec: Any) -> Any:
    """Marks a field that depends on who asks, of what others see too: its name begins with `viewer`."""
    return replace(spec, personal=True)


def restricted(key: str, roles: Collection[str]) -> Any:
    """A key of the document that is shown to those who have one of the roles; null for others."""

    async def shown(ctx: Any, documents: Sequence[Mapping[str, Any]]) -> list[Any]:
        may = ctx.viewer is not None and await holds_any(ctx, roles)
        return [each[key] if may else None for each in documents]

    return replace(batched(shown, reads=[key]), roles=tuple(roles))


def subscription(generator: Callable[..., Any], **descriptions: str) -> Any:
    """A live topic: an async generator of the context and keyword arguments."""
    resumed = {"after": "`eventId` after which the stream resumes; live events alone when left out."}
    return Spec(Stream(generator, _inputs(generator)), _arguments(generator, 1), {**resumed, **descriptions})


def _arguments(function: Callable[..., Any], skip: int) -> dict[str, Any]:
    """Name to (annotation, default) of a resolver's keyword arguments; its TypedDicts are input objects."""
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    hints = typing.get_type_hints(function, include_extras=True)
    return {each.name: (taken(hints[each.name]), each.default) for each in parameters}


def _inputs(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a resolver's arguments that are input objects: it gets them as dictionaries."""
    parameters = inspect.signature(function).parameters.values()
    hints = typing.get_type_hints(function, include_extras=True)
    given = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    return tuple(name for name in given if is_input(hints[name]))


def bound_field(name: str, spec: Spec, description: str | None, origin: type) -> BoundField:
    """The Strawberry field of a declaration."""
    made = BoundField(
        python_name=name,
        description=_with_sync(description, spec),
        metadata={
            "binding": spec.binding,
            "max_age": spec.max_age,
            "personal": spec.personal,
            "restricted": bool(spec.roles),
            "sources": spec.sources,
            "dated": spec.dated,
            "unsynced": spec.unsynced,
            "roles": spec.roles,
            "fresh": spec.fresh,
        },
        origin=origin,
        is_subscription=isinstance(spec.binding, Stream),
        deprecation_reason=spec.deprecated,
    )
    made.arguments = [
        _argument(argument, annotation, default, spec, name)
        for argument, (annotation, default) in spec.arguments.items()
    ]
    return made


def _with_sync(description: str | None, spec: Spec) -> str | None:
    """Add what is declared of the field's place in sync to the description that clients read."""
    if description is None:
        return None
    reads = [spec.dated] if spec.dated else []
    reads += [f"Not shown in `viewer.changes` and `changeEvents`: {spec.unsynced}"] if spec.unsynced else []
    return " ".join([description, *reads])


def _argument(name: str, annotation: Any, default: Any, spec: Spec, field_name: str) -> StrawberryArgument:
    description = spec.descriptions.get(name) or standard(name, field_name)
    if description is None:
        raise TypeError(f"The argument {name!r} of {field_name!r} has no description.")
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=StrawberryAnnotation(graphql_type(annotation), namespace=LATE),
        description=description,
        # A null default would only clutter the schema: what is left out is left to the resolver.
        default=UNSET if default is None else default,
    )


def standard(name: str, field_name: str) -> str | None:
    """The standard description of an argument of a field; None if it has none."""
    text = STANDARD.get(name)
    return text and text.format(thing=field_name.replace("_", " "))
