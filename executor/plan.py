"""Execution plan: the compiled function of one operation, for the variables that decide its directives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
)

from core.graphql.bindings import MutationField, Stream
from core.graphql.build import Schema
from executor.arguments import Arguments
from executor.codegen import Compiler
from executor.collect import Collector
from executor.expressions import field
from executor.runtime import Fallback
from executor.streams import Level, Topic


@dataclass(frozen=True, slots=True)
class Step:
    """One root field of a mutation: what to run, and how to answer of its payload."""

    response_key: str
    nodes: Sequence[FieldNode]
    binding: MutationField
    arguments: Arguments
    complete: Any
    waits: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`root` answers a whole query; `steps` are a mutation's, in order; `topic` is a subscription's."""

    root: Any = None
    waits: bool = False
    steps: tuple[Step, ...] = ()
    topic: Topic | None = None


def make_plan(
    schema: Schema, document: DocumentNode, operation: OperationDefinitionNode, variables: Any
) -> Plan:
    """Compile an operation; Fallback if it holds something only the reference knows."""
    fragments: Mapping[str, FragmentDefinitionNode] = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    compiler = Compiler(schema, Collector(schema._schema, fragments, variables))
    core = schema._schema
    if operation.operation is OperationType.QUERY and core.query_type:
        name, waits = compiler.level(core.query_type, [operation.selection_set])
        return Plan(root=compiler.code.run()[name], waits=waits)
    if operation.operation is OperationType.MUTATION and core.mutation_type:
        return Plan(steps=_steps(schema, compiler, core.mutation_type, operation))
    if operation.operation is OperationType.SUBSCRIPTION and core.subscription_type:
        return Plan(topic=_topic(schema, compiler, core.subscription_type, operation))
    raise Fallback


def _steps(
    schema: Schema, compiler: Compiler, root: GraphQLObjectType, operation: OperationDefinitionNode
) -> tuple[Step, ...]:
    drafts = []
    for key, nodes in compiler.collector.fields(root, [operation.selection_set]).items():
        definition, bound = field(root, nodes[0])
        if not isinstance(bound.binding, MutationField):
            raise Fallback
        arguments = Arguments(schema, definition, nodes[0], dict)
        lines, waits = compiler.completed(definition.type, nodes, shared=False)
        drafts.append((key, nodes, bound.binding, arguments, compiler.nested(lines, waits), waits))
    names = compiler.code.run()
    return tuple(
        Step(key, nodes, binding, args, names[name], waits)
        for key, nodes, binding, args, name, waits in drafts
    )


def _topic(
    schema: Schema, compiler: Compiler, root: GraphQLObjectType, operation: OperationDefinitionNode
) -> Topic:
    groups = list(compiler.collector.fields(root, [operation.selection_set]).items())
    if len(groups) != 1:
        raise Fallback
    key, nodes = groups[0]
    definition, bound = field(root, nodes[0])
    if not isinstance(bound.binding, Stream):
        raise Fallback
    selections = [node.selection_set for node in nodes if node.selection_set]
    drafts = [
        (name, *compiler.level(type, selections)) for name, type in _kinds(schema, definition.type).items()
    ]
    names = compiler.code.run()
    return Topic(
        key,
        bound.binding,
        Arguments(schema, definition, nodes[0], dict),
        {name: Level(names[function], waits) for name, function, waits in drafts},
        tuple(sorted(compiler.collector.variables(selections))),
    )


def _kinds(schema: Schema, type: Any) -> dict[str | None, GraphQLObjectType]:
    """The types that an event can have, by the type name in its document; by None where there is only one."""
    if isinstance(type, GraphQLNonNull):
        type = type.of_type
    if isinstance(type, (GraphQLInterfaceType, GraphQLUnionType)):
        return {each.name: each for each in schema._schema.get_possible_types(type)}
    if isinstance(type, GraphQLObjectType):
        return {type.name: type, None: type}
    raise Fallback
