"""Mutations declared once: input and payload types are derived from the resolver's signature.

`create_pin = mutation(pin.create_pin, returns={"pin": Pin}, name="At most 100 characters.")` makes
`createPin(input: CreatePinInput!): CreatePinPayload`. The receipt is named by the GraphQL field, so that the
resolver may move without turning queued replays into reused keys.
"""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from core.errors import ERROR_CODES
from core.grants import of_organizations
from core.graphql import changes
from core.graphql.bindings import MutationField, Plain, Spec, Unnamed
from core.graphql.common import MutationInput, Payload
from core.graphql.inputs import input_, taken
from core.graphql.types import type_
from core.mutations.declared_codes import ALWAYS
from core.mutations.idempotency import Mutation

PREPARED = "prepared"
"""A resolver's parameter that the mutation's `prepare` gives, not the client."""
STANDARD_INPUTS = {
    "id": "Id of the new {thing}, minted by the app so that queued mutations can name it; "
    "minted by the server when left out.",
    "expected_version": "Version of the {thing} that was edited: CONFLICT if there is a newer one. "
    "The last writer wins when left out.",
}
"""Descriptions of inputs that mean the same everywhere, of the `thing` that the mutation is about."""
ALWAYS_TAKEN = frozenset({"idempotency_key"})

Returns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Declaration(Unnamed):
    """A mutation before its field has a name: `named` makes types, receipt name and binding."""

    resolver: Callable[..., Awaitable[Any]]
    returns: Returns | None
    takes: Mapping[str, Any]
    input: Any
    payload: Any
    descriptions: Mapping[str, str]
    how: Mapping[str, Any] = field(default_factory=dict)
    deprecated: str | None = None

    def named(self, attribute: str) -> Spec:
        """The field's declaration, by its attribute on `class Mutation`."""
        title = "".join(word.capitalize() for word in attribute.split("_"))
        if self.returns is None:
            taken, answered = self.input, self.payload
        else:
            taken = _input_type(self, f"{title}Input")
            answered = _payload_type(self, f"{title}Payload")
        _check_signature(self.resolver, taken, attribute)
        resolver = self.resolver if self.returns is None else _with_checked_keys(self.resolver, answered)
        if (fields := changes.changes_of(self.resolver)) is not None:
            resolver = changes.without_nulls(resolver, fields)
        how = {**self.how, "refuses": self._refuses(attribute)}
        self._check_audit(attribute)
        mutation = Mutation(to_camel_case(attribute), resolver, **how)
        bound = MutationField(mutation)
        # Nullable: a bug in one of fifty queued mutations must not take the others' answers along.
        return Spec(
            bound,
            {"input": (taken, inspect.Parameter.empty)},
            annotation=answered | None,
            roles=tuple(mutation.roles),
            fresh=mutation.fresh,
            deprecated=self.deprecated,
        )

    def _check_audit(self, attribute: str) -> None:
        """Check that what is declared of its audit act are inputs, and that it leaves a receipt."""
        declared = self.how.get("audit")
        if declared is None:
            return
        named = {declared.resource, declared.subject, *declared.inputs, *declared.sensitive} - {None}
        if unknown := named - {each.name for each, _ in _parameters(self.resolver)}:
            raise TypeError(f"{attribute} is audited by what it does not take: {sorted(unknown)}.")
        if self.how.get("receipt") is False:
            raise TypeError(f"{attribute} leaves no receipt: a retry would be on record twice.")

    def _refuses(self, attribute: str) -> frozenset[str]:
        """Codes with which it refuses: those that are declared, and those that follow from what it takes."""
        declared = frozenset(self.how.get("refuses", "").split())
        if unfit := (declared - ERROR_CODES.keys()) | (declared & ALWAYS):
            raise TypeError(f"{attribute}: {sorted(unfit)} are no codes to declare.")
        taken = {each.name: each.default for each, _ in _parameters(self.resolver)}
        fields = changes.changes_of(self.resolver)
        follow = {
            "CONFLICT": "expected_version" in taken,
            # What may be left out is minted; what must be given names something that is there.
            "ID_TAKEN": taken.get("id", ...) is None,
            "REQUIRED": fields is not None and changes.refuses_null(fields),
            "STEP_UP_REQUIRED": bool(self.how.get("fresh")),
            "NO_ORGANIZATION": of_organizations(self.how.get("roles", ())),
        }
        if told := sorted(code for code in declared if follow.get(code)):
            raise TypeError(f"{attribute}: {told} follow from what it takes, and need no declaration.")
        return declared | {code for code, follows in follow.items() if follows}


HOW = frozenset(each for each in Mutation.__dataclass_fields__ if each not in ("name", "resolver"))


def mutation(
    resolver: Callable[..., Awaitable[Any]],
    input: Any = None,
    payload: Any = None,
    *,
    returns: Returns | None = None,
    takes: Mapping[str, Any] | None = None,
    **more: Any,
) -> Any:
    """A mutation of one `input`, exactly once.

    `returns` names the payload's fields with their types, or `(type, description)`; `takes` likewise gives
    types of inputs (`{"files": list[AttachmentInput]}`) where the resolver's own do not do, whose TypedDicts
    are input objects; `input` and `payload` describe the two types. Further keywords describe inputs, or are
    those of `core.mutations.idempotency.Mutation` (`roles`, `receipt`); `refuses` are the codes of its
    refusals (`"NOT_MEMBER TOO_LONG"`), except CONFLICT, ID_TAKEN, STEP_UP_REQUIRED and NO_ORGANIZATION, which
    follow from `expected_version`, `id`, `fresh` and roles of organizations, and REQUIRED where null is
    refused (`core.graphql.changes`). `audit=Audited(...)` puts the act on record (`core.audit.declared`).

    Where several mutations share types, give both types in place of `returns`.
    """
    how = {name: value for name, value in more.items() if name in HOW}
    descriptions = {name: value for name, value in more.items() if name not in HOW}
    return Declaration(resolver, returns, takes or {}, input, payload, descriptions, how)


def _input_type(declared: Declaration, name: str) -> type:
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {}
    docs: dict[str, str] = {}
    fields = changes.changes_of(declared.resolver)
    rules = changes.described(fields) if fields else {}
    for each, hint in _parameters(declared.resolver):
        kind, text = _described(declared.takes.get(each.name, hint))
        kind = taken(kind)
        annotations[each.name] = kind | None if type(None) in typing.get_args(hint) else kind
        if each.default not in (None, inspect.Parameter.empty):
            body[each.name] = [] if each.default == () else each.default
        docs[each.name] = text or _input_description(declared, each.name, name)
        if each.name in rules:
            docs[each.name] += f" {rules[each.name]}"
    unknown = set(declared.descriptions) - set(annotations)
    if unknown:
        raise TypeError(f"{name} describes what its resolver does not take: {sorted(unknown)}.")
    doc = declared.input or f"Input of `{_field_of(name, 'Input')}`."
    return input_(_class(name, MutationInput, doc, annotations, docs, declared.resolver, body))


def _input_description(declared: Declaration, parameter: str, type_name: str) -> str:
    if text := declared.descriptions.get(parameter):
        return text
    verb, *thing = _words(type_name.removesuffix("Input"))
    if parameter in STANDARD_INPUTS:
        return STANDARD_INPUTS[parameter].format(thing=" ".join(thing))
    if not parameter.endswith("_id"):
        raise TypeError(f"{parameter!r} of {type_name} has no description.")
    named = parameter.removesuffix("_id").split("_")
    end = f"to {verb}" if named == thing else "concerned"
    return f"Id of the {' '.join(named)} {end}."


def _words(title: str) -> list[str]:
    """The words of a name: `["hide", "post"]` of `HidePost`."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<!^)(?=[A-Z])", " ", title).lower())


def _payload_type(declared: Declaration, name: str) -> type:
    assert declared.returns is not None
    annotations: dict[str, Any] = {}
    docs: dict[str, str] = {}
    edited = any(each.name == "expected_version" for each, _ in _parameters(declared.resolver))
    for key, value in declared.returns.items():
        kind, text = _described(value)
        annotations[key], docs[key] = kind | None, text or _payload_description(key, edited)
    _check_returned(declared.resolver, set(annotations), name)
    doc = declared.payload or f"Payload of `{_field_of(name, 'Payload')}`."
    return type_(_class(name, Payload, doc, annotations, docs, declared.resolver))


def _described(value: Any) -> tuple[Any, str | None]:
    return value if isinstance(value, tuple) else (value, None)


def _payload_description(key: str, edited: bool) -> str:
    thing = key.removeprefix("deleted_").removesuffix("_id").removesuffix("_edge").replace("_", " ")
    if key.startswith("deleted_"):
        return f"Id of the {thing} to forget; null when refused."
    if key.endswith("_edge"):
        return f"The {thing} with its cursor in the list; null when refused."
    if edited:
        return f"The {thing} as changed; on CONFLICT without your change."
    return f"The {thing} after the mutation; null when refused."


def _class(
    name: str,
    base: type,
    doc: str,
    annotations: dict[str, Any],
    docs: dict[str, str],
    resolver: Callable[..., Any],
    body: Mapping[str, Any] | None = None,
) -> type:
    made = {
        "__doc__": doc,
        "__module__": resolver.__module__,
        "__annotations__": annotations,
        "__attribute_docs__": docs,
        **(body or {}),
    }
    return type(name, (base,), made)


def _field_of(type_name: str, suffix: str) -> str:
    stem = type_name.removesuffix(suffix)
    return stem[0].lower() + stem[1:]


def _parameters(resolver: Callable[..., Any]) -> list[tuple[inspect.Parameter, Any]]:
    """Parameters that clients give: all after the context, except `prepared`.

    `**changes: Unpack[Profile]` takes the fields of a TypedDict, each of which may be left out.
    """
    hints = typing.get_type_hints(resolver, include_extras=True)
    taken: list[tuple[inspect.Parameter, Any]] = []
    for each in list(inspect.signature(resolver).parameters.values())[1:]:
        if each.kind is inspect.Parameter.KEYWORD_ONLY and each.name != PREPARED:
            taken.append((each, hints[each.name]))
        elif each.kind is inspect.Parameter.VAR_KEYWORD and changes.is_unpacked(hints[each.name]):
            fields = _unpacked(typing.get_args(hints[each.name])[0])
            # Python has them last; clients read the version after them.
            taken = sorted([*taken, *fields], key=lambda each: each[0].name == "expected_version")
    return taken


def _unpacked(fields: Any) -> list[tuple[inspect.Parameter, Any]]:
    made = []
    for name, hint in changes.sent_types(fields).items():
        default = inspect.Parameter.empty if name in fields.__required_keys__ else None
        made.append((inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default), hint))
    return made


def _check_signature(resolver: Callable[..., Any], taken: type, attribute: str) -> None:
    """Check that the input's fields are the resolver's parameters: neither is silently left out."""
    parameters = _parameters(resolver)
    fields = get_object_definition(taken, strict=True).fields
    given = {each.python_name for each in fields} - ALWAYS_TAKEN
    known = {each.name for each, _ in parameters}
    hints = typing.get_type_hints(resolver, include_extras=True)
    open_ended = any(
        each.kind is inspect.Parameter.VAR_KEYWORD and not changes.is_unpacked(hints[each.name])
        for each in inspect.signature(resolver).parameters.values()
    )
    if given - known and not open_ended:
        raise TypeError(f"{attribute}: its resolver does not take {sorted(given - known)}.")
    if known - given:
        raise TypeError(f"{attribute}: its input lacks {sorted(known - given)}.")
    for each, hint in parameters:
        if each.default is inspect.Parameter.empty and type(None) in typing.get_args(hint):
            raise TypeError(f"{attribute}: {each.name} may be left out, but the resolver has no default.")


def _check_returned(resolver: Callable[..., Any], declared: set[str], name: str) -> None:
    """A resolver that answers with a TypedDict answers with just these fields."""
    returned = typing.get_type_hints(resolver).get("return")
    if typing.is_typeddict(returned) and (keys := set(returned.__annotations__)) != declared:
        raise TypeError(f"{name} has {sorted(declared)}, its resolver answers {sorted(keys)}.")


def _with_checked_keys(resolver: Callable[..., Awaitable[Any]], payload: type) -> Callable[..., Any]:
    """The resolver, whose payload has no key that its type does not show: a misspelt one would be null."""
    shown = {_key_of(each) for each in get_object_definition(payload, strict=True).fields} | {"errors"}

    @wraps(resolver)
    async def checked(ctx: Any, **arguments: Any) -> Any:
        answered = await resolver(ctx, **arguments)
        if not answered.keys() <= shown:
            raise TypeError(f"{payload.__name__} has no {sorted(answered.keys() - shown)}.")
        return answered

    return checked


def _key_of(shown: Any) -> str:
    binding = shown.binding
    return binding.key if isinstance(binding, Plain) else str(shown.python_name)
