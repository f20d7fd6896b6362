"""Schema assembly: puts the declarations of all systems together into one schema."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema, is_input_object_type
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StreamResult
from strawberry.types import ExecutionResult, get_object_definition
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from core.context import Context
from core.errors import ERROR_CODES
from core.graphql import common
from core.graphql.annotations import LATE
from core.graphql.audience import without
from core.graphql.common import SCALARS, Node, Root, Viewer
from core.graphql.directives import STAFF, Directives
from core.graphql.enums import declared_enum
from core.graphql.types import fields_of, merge
from core.nodes import SYNCED

ROOTS = {
    "Query": "Root of all reads.",
    "Mutation": (
        "Root of all writes: each field is atomic, idempotent by `idempotencyKey`, "
        "and answers with its own errors."
    ),
    "Subscription": "Root of all live streams; each resumes with `after`.",
}


class Schema(strawberry.Schema):
    """Our schema: one context per operation, and errors left to the server's extension."""

    def __init__(self, *, described: Directives, types: Sequence[type], **kwargs: Any) -> None:
        super().__init__(types=[*types, *described.definitions], **kwargs)
        self.described = described
        described.describe(self._schema)

    def as_str(self) -> str:
        """The SDL, with the directives of what code declares."""
        with self.described.written(self._schema):
            return super().as_str()

    def areas(self) -> list[dict[str, Any]]:
        """The areas with their fields, for whoever lists what there is."""
        return self.described.fields_by_area(self._schema)

    def for_apps(self) -> str:
        """The SDL for people's apps: without what is for staff."""
        return without(self.as_str(), STAFF)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Logged by the extension that makes them public, with their request id."""

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        return await super().execute(
            query,
            variable_values=variable_values,
            context_value=_own(context_value),
            root_value=root_value,
            operation_name=operation_name,
            allowed_operation_types=allowed_operation_types,
            operation_extensions=operation_extensions,
        )

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        return await super().stream(
            query,
            variable_values=variable_values,
            context_value=_own(context_value),
            root_value=root_value,
            operation_name=operation_name,
            operation_extensions=operation_extensions,
            allowed_operation_types=allowed_operation_types,
        )


def _own(ctx: Context) -> Context:
    # Sockets and batches share a context; a mutation's unit of work belongs to one operation.
    own = ctx.fork()
    own.completed_mutations, own.reading = ctx.completed_mutations, ctx.reading
    own.begin_again(ctx)
    own.join(ctx)
    return own


def build(
    modules: Sequence[ModuleType],
    *,
    extensions: Iterable[Any] = (),
    production: bool = False,
    max_batch: int = 20,
) -> Schema:
    """Build the schema of the modules, in alphabetical order of their names."""
    _late_enums()
    viewer = get_object_definition(Viewer, strict=True).fields
    for module in modules:
        if hasattr(module, "Viewer") and module.Viewer is not Viewer:
            merge(viewer, fields_of(module.Viewer), "Viewer")
    roots = {name: _root(name, description, modules) for name, description in ROOTS.items()}
    schema = Schema(
        query=roots["Query"],
        mutation=roots["Mutation"],
        subscription=roots["Subscription"],
        types=list(_declared_nodes(modules)),
        described=Directives(_areas(modules), common.ErrorCode),  # type: ignore[attr-defined]
        extensions=list(extensions),
        config=StrawberryConfig(
            default_resolver=lambda document, name: document.get(name),
            scalar_map=SCALARS,
            batching_config={"max_operations": max_batch},
            disable_field_suggestions=production,
        ),
    )
    _declare_one_of(schema._schema)
    return schema


def _declare_one_of(schema: GraphQLSchema) -> None:
    """Tell graphql-core of oneOf inputs: its rules, its coercion and its introspection are those of the RFC.

    Strawberry checks values by itself, and says of every other type that it is none.
    """
    for type in schema.type_map.values():
        if is_input_object_type(type):
            declared = type.extensions.get("strawberry-definition")
            type.is_one_of = declared is not None and declared.is_one_of
            if type.is_one_of:
                type.out_type = GraphQLInputObjectType.out_type  # type: ignore[method-assign]
    schema.type_map["__Type"].fields["isOneOf"].resolve = _is_one_of  # type: ignore[attr-defined]


def _is_one_of(type: object, _: Any) -> bool | None:
    return type.is_one_of if is_input_object_type(type) else None


def _areas(modules: Sequence[ModuleType]) -> dict[str, str]:
    """By system, the product's word for its area, where that is not the system's name."""
    return {module.__name__.rpartition(".")[2]: module.AREA for module in modules if hasattr(module, "AREA")}


def _root(name: str, description: str, modules: Sequence[ModuleType]) -> type:
    root: type = strawberry.type(type(name, (), {"__annotations__": {}}), description=description)
    fields = get_object_definition(root, strict=True).fields
    for declared in [Root if name == "Query" else None, *(getattr(module, name, None) for module in modules)]:
        if declared is not None:
            merge(fields, fields_of(declared), name)
    return root


def _declared_nodes(modules: Sequence[ModuleType]) -> Iterable[type]:
    for module in modules:
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Node)
                and value.__module__.startswith(module.__name__)
            ):
                yield value


def _late_enums() -> None:
    """Enums of what all schema modules declare, known only once all are read."""
    told = {
        code: f"{each.description} Kind {each.kind}{', retryable' if each.retryable else ''}."
        for code, each in ERROR_CODES.items()
    }
    if not hasattr(common, "ErrorCode") or set(common.ErrorCode) != set(told):
        # The types that show it keep the one they were first built with.
        description = "Reason for which a mutation is refused; of one kind each."
        common.ErrorCode = declared_enum("ErrorCode", description, told)  # type: ignore[attr-defined]
    LATE["SyncType"] = declared_enum(
        "SyncType",
        "Types that `viewer.changes` and `changeEvents` can tell of.",
        {name: f"Changes of type {name.title().replace('_', '')}." for name in sorted(SYNCED)},
    )
