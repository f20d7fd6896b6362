"""Execution engine: compiled where it can, on the reference otherwise, with equal answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_variable_values,
    located_error,
    parse,
)
from graphql.execution.values import VariableValues
from prometheus_client import Counter
from strawberry.schema.schema import validate_document
from strawberry.types.execution import ExecutionResult

from core.context import Context
from core.graphql.arguments import attempted
from core.graphql.build import Schema
from core.graphql.validation import RULES
from core.lru_cache import LruCache
from core.mutations.acts import Act
from executor.collect import condition_variables
from executor.plan import Plan, make_plan
from executor.runtime import FALLBACKS, Fallback
from executor.streams import Subscription

RUNS = Counter("landfall_executor_total", "Operations by the path that answered them.", ["path"])
COMPILED, REFERENCE = RUNS.labels("compiled"), RUNS.labels("reference")

DOCUMENTS = 1_000
PLANS_EACH = 16
LONGEST_DOCUMENT = 100_000
MOST_LETTERS = 4_000_000
"""Of all documents together: parsed and compiled, each takes some forty bytes."""
NO_PARENT = (None,)
NO_VARIABLES = VariableValues({}, {})


@dataclass(slots=True)
class Known:
    """A document that was parsed and found valid."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    conditions: tuple[str, ...]
    plans: dict[Any, Plan | None] = field(default_factory=dict)


class Unread:
    """Stands for a document that was seen once."""


UNREAD = Unread()


class Prepared(NamedTuple):
    """A plan and the variables to run it with."""

    plan: Plan
    values: VariableValues


class Answer(NamedTuple):
    """The data of an operation, and the errors of mutations among them that have no payload."""

    data: dict[str, Any]
    errors: Sequence[GraphQLError] = ()


class Executor:
    """Compiled plans by document, for one schema."""

    def __init__(self, schema: Schema, *, eager: bool = False) -> None:
        """`eager` compiles what is seen for the first time, which pays only in tests."""
        self._schema = schema
        self._eager = eager
        self._known: LruCache[Known | Unread] = LruCache(most=DOCUMENTS, size=MOST_LETTERS)

    async def run(
        self,
        query: str | None,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        ctx: Context,
        *,
        mutations: bool = True,
    ) -> ExecutionResult | None:
        """The operation's answer, or None when the reference must give it.

        Outcomes of mutations that ran are kept in the context, so that the reference does not run them again.
        """
        self._document(query, ctx.reading, eager=self._eager)
        prepared = self.prepared(query, variables, operation_name, mutations=mutations)
        if prepared is None:
            REFERENCE.inc()
            return None
        answer = await self.answer(prepared, ctx)
        if answer is None:
            return None
        return ExecutionResult(data=answer.data, errors=list(answer.errors) or None, extensions=None)

    def prepared(
        self,
        query: str | None,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        *,
        mutations: bool = True,
    ) -> Prepared | None:
        """An operation ready to be run, if its document is known; None when the reference must run it."""
        known = self._known.get(query) if query else None
        operation = known.operations.get(operation_name) if isinstance(known, Known) else None
        if not isinstance(known, Known) or operation is None or not _covered(operation, mutations):
            return None
        values = self._values(operation, variables)
        if values is None:
            return None
        plan = self._plan(known, operation, operation_name, values)
        return Prepared(plan, values) if plan else None

    async def answer(self, prepared: Prepared, ctx: Context) -> Answer | None:
        """The answer, or None when the reference must give them; see `run`."""
        plan, values = prepared
        try:
            if plan.root is None:
                answer = await _mutate(plan, ctx, values)
            else:
                rows = plan.root(ctx, values, NO_PARENT)
                [data] = await rows if plan.waits else rows
                answer = Answer(data)
        except Exception as error:
            # The reference executor meets the same error, and reports it exactly.
            FALLBACKS.labels(type(error).__name__).inc()
            REFERENCE.inc()
            ctx.refresh()
            ctx.served = 0
            return None
        COMPILED.inc()
        return answer

    def _values(
        self, operation: OperationDefinitionNode, variables: dict[str, Any] | None
    ) -> VariableValues | None:
        """The operation's variables, None where they do not fit."""
        definitions = operation.variable_definitions
        if not definitions:
            return NO_VARIABLES
        values = get_variable_values(self._schema._schema, definitions, variables or {}, max_errors=1)
        return values if isinstance(values, VariableValues) else None

    def subscribe(
        self,
        query: str | None,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        ctx: Context,
    ) -> Subscription | None:
        """The operation if it is a subscription, or None when the reference must run it."""
        # Compiled at first sight: it is answered many times.
        known = self._document(query, ctx.reading, eager=True)
        operation = known.operations.get(operation_name) if known else None
        if known is None or operation is None or operation.operation is not OperationType.SUBSCRIPTION:
            return None
        running = self._running(known, operation, operation_name, variables or {}, ctx)
        (COMPILED if running else REFERENCE).inc()
        return running

    def _running(
        self,
        known: Known,
        operation: OperationDefinitionNode,
        name: str | None,
        variables: dict[str, Any],
        ctx: Context,
    ) -> Subscription | None:
        values = self._values(operation, variables)
        plan = self._plan(known, operation, name, values) if values is not None else None
        if plan is None or plan.topic is None:
            return None
        try:
            return Subscription(self._schema, plan.topic, known.document, name, variables, values, ctx)
        except Exception as error:
            # An argument that does not fit: the reference says which.
            FALLBACKS.labels(type(error).__name__).inc()
            return None

    def _document(self, query: str | None, reading: Any = None, *, eager: bool) -> Known | None:
        """The document if it came before, or is wanted at once; what comes once is not worth compiling.

        `reading` is what the server knows of it already.
        """
        if not query or len(query) > LONGEST_DOCUMENT:
            return None
        known = self._known.get(query)
        if isinstance(known, Known):
            return known
        if known is None and not eager:
            self._known.put(query, UNREAD, len(query))
            return None
        read = self._read(query, reading)
        self._known.put(query, read, len(query))
        return read

    def _read(self, query: str, reading: Any) -> Known:
        """Parsed and valid; a document that is not has no operations, and is the reference's."""
        nothing: Known = Known(DocumentNode(definitions=()), {}, ())
        document = self._parsed(query) if reading is None else reading.document if reading.sound else None
        if document is None:
            return nothing
        found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        operations: dict[str | None, OperationDefinitionNode] = {
            each.name.value: each for each in found if each.name is not None
        }
        if len(found) == 1:
            operations[None] = found[0]
        return Known(document, operations, tuple(sorted(condition_variables(document))))

    def _parsed(self, query: str) -> DocumentNode | None:
        try:
            document = parse(query)
        except Exception:
            return None
        errors = validate_document(self._schema._schema, document, RULES)
        return None if errors else document

    def _plan(
        self, known: Known, operation: OperationDefinitionNode, name: str | None, values: Any
    ) -> Plan | None:
        key = (name, *[values.coerced.get(each) for each in known.conditions]) if known.conditions else name
        if key in known.plans:
            return known.plans[key]
        if len(known.plans) >= PLANS_EACH:
            return None
        plan = known.plans[key] = self._compiled(known, operation, values)
        return plan

    def _compiled(self, known: Known, operation: OperationDefinitionNode, values: Any) -> Plan | None:
        try:
            return make_plan(self._schema, known.document, operation, values)
        except Fallback:
            FALLBACKS.labels("not covered").inc()
            return None


def _covered(operation: OperationDefinitionNode, mutations: bool) -> bool:
    kind = operation.operation
    return kind is OperationType.QUERY or (kind is OperationType.MUTATION and mutations)


async def _mutate(plan: Plan, ctx: Context, values: Any) -> Answer:
    """Root fields in order, each completed before the next; outcomes are kept whatever happens."""
    data: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    for step in plan.steps:
        key = step.response_key
        try:
            payload = await step.binding.perform(ctx, step.arguments(values), partial(_acts, plan, values))
        except Exception as error:
            ctx.completed_mutations[key] = error
            errors.append(located_error(error, step.nodes, [key]))
            data[key] = None
            continue
        ctx.completed_mutations[key] = payload
        answer = step.complete(ctx, values, [payload])
        [data[key]] = await answer if step.waits else answer
    return Answer(data, errors)


def _acts(plan: Plan, values: Any) -> list[Act]:
    acts = [attempted(step.binding, partial(step.arguments, values)) for step in plan.steps]
    return [act for act in acts if act is not None]
