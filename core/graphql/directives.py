"""Directives of the SDL, made of what code declares: who may use a field, whose it is, what is for staff.

They are written on the declarations when the schema is printed, so that a process that serves it never pays.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graphql import GraphQLEnumType, GraphQLField, GraphQLNamedType, GraphQLSchema
from strawberry import UNSET
from strawberry.schema_directive import Location, schema_directive

from core.discovery import LAYERS
from core.graphql.bindings import MutationField
from core.graphql.enums import enum
from core.graphql.reach import staff_types
from core.mutations.declared_codes import ALWAYS
from core.security.access import ROLE_KINDS, STAFF_VALUES, by_kind

ROOTS = ("Query", "Mutation", "Subscription")
COMMON = "common"
"""Area of what no system declares."""
STAFF = "staff"
CODES = "ErrorCode"
AREA_ROOTS = ("Query", "Viewer", "Mutation", "Subscription")
"""Types whose fields come from all systems, each with its own area."""
DEFINED = "strawberry-definition"

ARGUMENTS = {
    ("refuses", "codes"): "Codes of refusals that an app may want to tell apart.",
    ("access", "stepUp"): (
        "True if the caller must have proved who they are within ten minutes, by a sign-in or `stepUp`; "
        "STEP_UP_REQUIRED otherwise."
    ),
    ("area", "name"): "Name of the area, such as `feed`.",
    ("tag", "name"): "Name of the audience, such as `staff`.",
}
"""Descriptions of the directives' arguments, which Strawberry has no place for."""

TYPES = [
    Location.OBJECT,
    Location.INTERFACE,
    Location.UNION,
    Location.ENUM,
    Location.INPUT_OBJECT,
    Location.SCALAR,
]


@schema_directive(
    locations=[Location.FIELD_DEFINITION, *TYPES],
    description="Area of the product that the field or type belongs to: documentation is grouped by it.",
)
class Area:
    name: str


@schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.ENUM_VALUE, *TYPES],
    description="Audience of the field, type or value: what is tagged `staff` is left out of `app.graphql`.",
)
class Tag:
    name: str


def access_type() -> type:
    """The directive `@access`, with an argument for each kind of role that systems declare."""
    kinds = sorted(ROLE_KINDS.values(), key=lambda kind: kind.argument)
    made = {kind.argument: list[enum(kind.values())] | None for kind in kinds}  # type: ignore[misc]
    defaults = dict.fromkeys([*made, "step_up"], UNSET)
    body = {"__annotations__": {**made, "step_up": bool | None}, "__module__": __name__, **defaults}
    declare = schema_directive(
        locations=[Location.FIELD_DEFINITION],
        description="Demands on the caller, without which the field is refused.",
    )
    return declare(type("Access", (), body))


def refuses_type(codes: type) -> type:
    """The directive `@refuses`, whose codes are values of the enum that systems declare."""
    declare = schema_directive(
        locations=[Location.FIELD_DEFINITION],
        description=(
            "Error codes with which the mutation refuses beside NOT_FOUND, FORBIDDEN, INVALID_INPUT, "
            "RATE_LIMITED, UNAVAILABLE and DEFERRED, which every mutation may answer."
        ),
    )
    body = {"__annotations__": {"codes": list[codes]}, "__module__": __name__}  # type: ignore[valid-type]
    return declare(type("Refuses", (), body))


class Directives:
    """The directives of one schema: their definitions, and what they say of each element."""

    def __init__(self, areas: Mapping[str, str], codes: type) -> None:
        """`areas` are names of systems with the product's words for them, `codes` the enum of error codes."""
        self._areas = areas
        self._access = access_type()
        self._refuses: Any = refuses_type(codes)

    @property
    def definitions(self) -> list[type]:
        return [self._access, self._refuses, Area, Tag]

    @staticmethod
    def describe(schema: GraphQLSchema) -> None:
        """Describe the arguments of the directives' definitions."""
        told = ARGUMENTS | {("access", kind.argument): kind.description for kind in ROLE_KINDS.values()}
        for directive in schema.directives:
            for name, argument in directive.args.items():
                argument.description = argument.description or told.get((directive.name, name))

    @contextmanager
    def written(self, schema: GraphQLSchema) -> Iterator[None]:
        """Write them on the declarations of the schema's fields and types, while it is printed."""
        said = {id(declared): (declared, found) for declared, found in self._said(schema)}
        before = [(declared, declared.directives) for declared, _ in said.values()]
        try:
            for declared, found in said.values():
                declared.directives = [*declared.directives, *found]
            yield
        finally:
            for declared, found in before:
                declared.directives = found

    def _said(self, schema: GraphQLSchema) -> Iterator[tuple[Any, list[Any]]]:
        """Declarations of types and fields, with what is said of each."""
        for_staff = staff_types(schema, self.is_for_staff)
        for each in schema.type_map.values():
            declared = each.extensions.get(DEFINED)
            if declared is None or each.name.startswith("__"):
                continue
            if each.name not in ROOTS:
                yield declared, self._of_type(each, each.name in for_staff)
            for field in getattr(each, "fields", {}).values():
                if isinstance(field, GraphQLField) and DEFINED in field.extensions:
                    yield field.extensions[DEFINED], self._of_field(field, rooted=each.name in AREA_ROOTS)
        for enum_name, value in STAFF_VALUES | {(CODES, code) for code in self._staff_codes(schema)}:
            if isinstance(listed := schema.type_map.get(enum_name), GraphQLEnumType):
                yield listed.values[value].extensions[DEFINED], [Tag(name=STAFF)]

    def _staff_codes(self, schema: GraphQLSchema) -> set[str]:
        """Codes with which only mutations for staff refuse."""
        found: dict[bool, set[str]] = {True: set(), False: set(ALWAYS)}
        for field in schema.mutation_type.fields.values() if schema.mutation_type else ():
            found[self.is_for_staff(field)].update(_refused(field))
        return found[True] - found[False]

    def fields_by_area(self, schema: GraphQLSchema) -> list[dict[str, Any]]:
        """The areas by name, each with the fields of the root types and `Viewer` and the roles they need."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for root in (name for name in AREA_ROOTS if name in schema.type_map):
            for name, field in getattr(schema.type_map[root], "fields", {}).items():
                area = self.area(getattr(field.extensions.get(DEFINED), "origin", None))
                roles = sorted(map(str, _declared(field).get("roles") or ()))
                found[area].append({"root": root, "name": name, "roles": roles})
        return [{"name": area, "fields": found[area]} for area in sorted(found)]

    def is_for_staff(self, field: GraphQLField) -> bool:
        return bool(_declared(field).get("roles"))

    def _of_field(self, field: GraphQLField, *, rooted: bool) -> list[Any]:
        area = [Area(name=self.area(field.extensions[DEFINED].origin))] if rooted else []
        said = [*self._accesses(field), *self._refusals(field)]
        return [*said, *area, *([Tag(name=STAFF)] if self.is_for_staff(field) else [])]

    def _accesses(self, field: GraphQLField) -> list[Any]:
        roles: Collection[str] = _declared(field).get("roles") or ()
        fresh = _declared(field).get("fresh")
        if not roles and not fresh:
            return []
        given = {
            (ROLE_KINDS[kind].argument if kind in ROLE_KINDS else "roles"): _values(kind, wanted)
            for kind, wanted in by_kind(roles).items()
        }
        return [self._access(**given, **({"step_up": True} if fresh else {}))]

    def _refusals(self, field: GraphQLField) -> list[Any]:
        codes = _refused(field)
        return [self._refuses(codes=sorted(codes))] if codes else []

    def _of_type(self, declared: GraphQLNamedType, for_staff: bool) -> list[Any]:
        return [Area(name=self.area_of(declared)), *([Tag(name=STAFF)] if for_staff else [])]

    def area_of(self, declared: GraphQLNamedType) -> str:
        """The area of a type: of the system that declares it; a union's is that of its members."""
        members = getattr(declared, "types", None)
        if members:
            found = {self.area_of(each) for each in members} - {COMMON}
            return found.pop() if len(found) == 1 else COMMON
        definition = declared.extensions.get(DEFINED)
        origin = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
        return self.area(origin)

    def area(self, origin: Any) -> str:
        """The area of the system in whose module something is declared."""
        layer, _, inner = getattr(origin, "__module__", "").partition(".")
        system = inner.partition(".")[0]
        return self._areas.get(system, system) if layer in LAYERS and system else COMMON


def _declared(field: GraphQLField) -> Mapping[str, Any]:
    definition = field.extensions.get(DEFINED)
    return getattr(definition, "metadata", None) or {}


def _refused(field: GraphQLField) -> Collection[str]:
    """Codes with which a mutation says that it refuses."""
    binding = _declared(field).get("binding")
    return binding.mutation.refuses if isinstance(binding, MutationField) else ()


def _values(kind: type, roles: Collection[str]) -> list[Any]:
    """The roles as values of their enum; those of a token may be declared as plain strings."""
    enums = [each.values() for each in ROLE_KINDS.values() if each.argument == "roles"]
    values = ROLE_KINDS[kind].values() if kind in ROLE_KINDS else next(iter(enums), str)
    return sorted(values(role) for role in roles)
