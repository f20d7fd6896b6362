"""Annotations of resolvers and declarations, in Strawberry's words."""

import enum as enums
import types
import typing
from typing import Annotated, Any, ForwardRef

import strawberry
from strawberry.types.union import StrawberryUnion

from core.grants import GrantRole, declared_roles
from core.graphql.enums import DECLARED, enum
from core.ids import Id
from core.nodes import SyncTypeName
from core.values import text

LATE: dict[str, Any] = {}
"""Types that are known only when every schema module has been read, by name."""


def graphql_type(annotation: Any) -> Any:
    """A resolver's annotation in Strawberry's words: `Id` is `ID`, enums are declared by use."""
    if annotation is Id:
        return strawberry.ID
    if annotation in (text.Line, text.FileName, text.Code, text.Opaque):
        return str
    if annotation is SyncTypeName:
        return ForwardRef("SyncType")
    if isinstance(annotation, typing.NewType) and annotation in DECLARED:
        return DECLARED[annotation]
    if annotation is GrantRole:
        return enum(declared_roles())
    if isinstance(annotation, type) and issubclass(annotation, enums.Enum):
        return enum(annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        members = tuple(graphql_type(member) for member in typing.get_args(annotation))
        return typing.Union[members]  # noqa: UP007
    if origin in (list, tuple, typing.Sequence) or getattr(origin, "__name__", "") == "Sequence":
        return list[graphql_type(typing.get_args(annotation)[0])]  # type: ignore[misc]
    if origin is Annotated:
        named = any(isinstance(each, StrawberryUnion) for each in annotation.__metadata__)
        return annotation if named else graphql_type(typing.get_args(annotation)[0])
    return annotation
