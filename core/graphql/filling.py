"""Input objects made of what clients send, by a plan for each type.

Strawberry computes the names and types of all fields again for each request: a twelfth of what a mutation
costs, three times as much as by these plans.
"""

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any, NamedTuple

from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.base import StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType


class _Field(NamedTuple):
    sent: str
    """Its name in GraphQL."""
    name: str
    type: Any
    plain: bool
    """True if the value is taken as graphql-core gives it."""


class _Plan(NamedTuple):
    missing: dict[str, None]
    """Fields that are None where they are left out."""
    fields: tuple[_Field, ...]


_PLANS: dict[type, _Plan] = {}


def filled(type_: type, value: Mapping[str, Any], context: InputContext) -> Any:
    """The `from_input` of input types."""
    plan = _PLANS.get(type_)
    if plan is None:
        plan = _PLANS[type_] = _planned(type_, context)
    given: dict[str, Any] = plan.missing.copy()
    for field in plan.fields:
        if field.sent in value:
            item = value[field.sent]
            given[field.name] = item if field.plain else _converted(item, field, context)
    return type_(**given)


def _converted(item: Any, field: _Field, context: InputContext) -> Any:
    return convert_argument(
        item,
        field.type,
        context.scalar_registry,
        context.config,
        context.info,
        path=(*context.path, field.sent),
    )


def _planned(type_: type, context: InputContext) -> _Plan:
    assert has_object_definition(type_)
    definition = type_.__strawberry_definition__
    missing: dict[str, None] = {}
    fields = []
    for field in definition.fields:
        if field.default_value is MISSING and field.default_factory is MISSING:
            missing[field.python_name] = None
        kind = field.resolve_type(type_definition=definition)
        sent = context.config.name_converter.from_field(field)
        fields.append(_Field(sent, field.python_name, kind, _plain(kind, context)))
    return _Plan(missing, tuple(fields))


def _plain(kind: Any, context: InputContext) -> bool:
    if isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
        return _plain(kind.of_type, context)
    if isinstance(kind, LazyType):
        return _plain(kind.resolve_type(), context)
    enum = isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind)
    return enum or is_scalar(kind, context.scalar_registry)
