"""Field bindings: the source of a field's value, as data, so that an executor can plan a whole level."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from strawberry import UNSET
from strawberry.types import get_object_definition, has_object_definition
from strawberry.types.base import StrawberryOptional

from core.context import Context
from core.mutations import acts
from core.mutations.acts import Act, Siblings
from core.mutations.idempotency import Mutation
from core.paging import PageArgs
from core.storage.loader import Loader

Document = Mapping[str, Any]

PAGING = ("first", "after", "last", "before")
"""The arguments of every connection."""
PLACES = frozenset({"after", "since"})
"""Arguments that say where a stream goes on."""


class Binding:
    """Base of all bindings: all that an executor may know of a field."""

    __slots__ = ()

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        """The field's value, or an awaitable of it."""
        raise TypeError(f"{type(self).__name__} does not resolve.")


@dataclass(frozen=True, slots=True)
class Later(Awaitable[Any]):
    """A call that begins when it is awaited.

    The reference awaits nothing of a selection in which a plain field fails: a coroutine made before would
    be left behind.
    """

    begin: Callable[[], Awaitable[Any]]

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.begin().__await__()


@dataclass(frozen=True, slots=True)
class Plain(Binding):
    """A key of the source document."""

    key: str

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        return source.get(self.key)


@dataclass(frozen=True, slots=True)
class Derived(Binding):
    """A plain function of the source document, of which it `reads` these keys."""

    function: Callable[[Any], Any]
    reads: tuple[str, ...] = ()

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        return self.function(source)


@dataclass(frozen=True, slots=True)
class Computed(Binding):
    """A plain function of context, document and arguments; of the document it `reads` these keys."""

    function: Callable[..., Any]
    reads: tuple[str, ...] = ()
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By argument as clients write it, keys it reads only where that one is given."""

    def read_keys(self, arguments: Iterable[str]) -> set[str]:
        """The keys that are read where these arguments are given."""
        return {*self.reads, *(key for name in arguments for key in self.given.get(name, ()))}

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        return self.function(ctx, source, **arguments)

    def filled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return arguments


@dataclass(frozen=True, slots=True)
class One(Binding):
    """A reference by key, loaded in batches."""

    loader: type[Loader[Any, Any]]
    key: str

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        key = source.get(self.key)
        return None if key is None else ctx.loader(self.loader).load(key)


@dataclass(frozen=True, slots=True)
class Many(Binding):
    """References by a list of keys, those that are gone left out."""

    loader: type[Loader[Any, Any]]
    key: str

    async def _load(self, ctx: Context, keys: Sequence[Any]) -> list[Any]:
        return [row for row in await ctx.load_many(self.loader, keys) if row is not None]

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        keys = source.get(self.key) or ()
        return Later(partial(self._load, ctx, keys)) if keys else []


@dataclass(frozen=True, slots=True)
class Resolver(Binding):
    """A resolver: of the context alone at a root, of context and document elsewhere."""

    resolver: Callable[..., Awaitable[Any]]
    root: bool
    page: int | None = None
    """The size of a connection's page when the client names none; 0 when the resolver decides."""
    default_size: int = 0
    """Default page size where no size is given: operations are weighed by it."""
    batch: Callable[..., Awaitable[list[Any]]] | None = None
    """The same for many documents at once, in their order."""
    inputs: tuple[str, ...] = ()
    """Arguments that are input objects: the resolver gets them as dictionaries."""
    reads: tuple[str, ...] | None = None
    """The keys of the document that the resolver reads; None: it gets the whole."""
    wants_projection: bool = False
    """True if the resolver takes `shown`."""

    def filled(self, arguments: dict[str, Any], shown: tuple[str, ...] = ()) -> dict[str, Any]:
        """The resolver's arguments: a connection's four as one, with its own page size as default.

        `shown` are the keys that the answer shows, of a connection's nodes or of the document itself, where
        that is known.
        """
        if self.wants_projection:
            return {**arguments, "shown": shown}
        if self.inputs:
            arguments = {**arguments, **{name: _plain(arguments.get(name)) for name in self.inputs}}
        if self.page is None:
            return arguments
        rest = {name: value for name, value in arguments.items() if name not in PAGING}
        pages = {name: _given(arguments.get(name)) for name in PAGING}
        if self.page and pages["first"] is None and pages["last"] is None:
            pages["first"] = self.page
        return {**rest, "args": PageArgs(**pages, fields=shown)}

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        given = (ctx,) if self.root else (ctx, source)
        return Later(partial(self.resolver, *given, **self.filled(arguments)))


@dataclass(frozen=True, slots=True)
class MutationField(Binding):
    """A mutation with its one `input`, run with replay protection and a unit of work."""

    mutation: Mutation

    def act(self, arguments: dict[str, Any]) -> Act:
        values = arguments["input"]
        given = keywords(values)
        return Act(self.mutation, given.pop("idempotency_key"), given, partial(minted, values))

    async def perform(self, ctx: Context, arguments: dict[str, Any], siblings: Siblings) -> Any:
        """Its payload, as one of several root fields of an operation."""
        return await acts.perform(ctx, self.act(arguments), siblings)


@dataclass(frozen=True, slots=True)
class Stream(Binding):
    """A subscription: an async generator of event documents."""

    generator: Callable[..., Any]
    inputs: tuple[str, ...] = ()
    """Names of arguments that are input objects: the generator gets them as dictionaries."""

    def resolve(self, source: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        places = {name: _given(arguments[name]) for name in PLACES & arguments.keys()}
        plain = {name: _plain(arguments.get(name)) for name in self.inputs}
        return self.generator(ctx, **{**arguments, **places, **plain})


@dataclass(slots=True)
class Spec:
    """Field declaration of a schema module, before its class is read."""

    binding: Binding
    arguments: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    annotation: Any = None
    deprecated: str | None = None
    roles: tuple[str, ...] = ()
    fresh: bool = False
    max_age: Any = None
    """Seconds for which anybody may keep its answer, or a function of its arguments that says so."""
    personal: bool = False
    """True for what depends on who asks: no shared cache may keep an answer with it."""
    sources: tuple[str, ...] = ()
    """Collections it is made of beside its document's own; their changes are logged for its node."""
    dated: str | None = None
    """Age the synced value may have, for the field's description."""
    unsynced: str | None = None
    """The other way to read it where it is not synced, for the field's description."""


class Unnamed(ABC):
    """A declaration that needs the name of its field: it makes types or receipts that are named by it."""

    __slots__ = ()

    @abstractmethod
    def named(self, attribute: str) -> Spec:
        """The declaration of the field with this attribute."""


def minted(values: Any) -> Iterator[str]:
    """Ids that an input mints: those that the client might have left to the server."""
    for each in get_object_definition(values, strict=True).fields:
        value = getattr(values, each.python_name)
        if each.python_name == "id" and isinstance(each.type, StrawberryOptional) and isinstance(value, str):
            yield value
        for inner in value if isinstance(value, list) else [value]:
            if has_object_definition(inner):
                yield from minted(inner)


def keywords(values: Any) -> dict[str, Any]:
    """An input object as keyword arguments; what the client left out is left out; texts are normalised."""
    readers = type(values).__readers__
    return {
        name: _plain(value, readers[name])
        for name, value in vars(values).items()
        if value is not UNSET and not name.startswith("_")
    }


def _given(value: Any) -> Any:
    """None for an empty cursor: Apollo's `relayStylePagination` has one for an empty list."""
    return None if value == "" else value


def _plain(value: Any, read: Callable[[str], str] | None = None) -> Any:
    if read is not None and type(value) is str:
        return read(value)
    if isinstance(value, list):
        return [_plain(item, read) for item in value]
    if hasattr(value, "__strawberry_definition__") and not isinstance(value, Enum):
        return keywords(value)
    return value
