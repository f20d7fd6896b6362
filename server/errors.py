"""Public form of errors: faults with their code; bugs only with a request id."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import StreamExecutionResult
from strawberry.types.graphql import OperationType

from core import messages, outages
from core.context import Context
from core.errors import ERROR_CODES, BadUserInput, ErrorKind, Forbidden, RequestError, UserError
from core.graphql.validation import RULES
from core.messages import gettext_noop

logger = structlog.get_logger(__name__)

INTERNAL_MESSAGE = gettext_noop("Something went wrong on our side.")

SUGGESTION = re.compile(r" Did you mean [^?]*\?")

NOT_HERE = {
    OperationType.QUERY: "Send queries as ordinary requests.",
    OperationType.MUTATION: "Mutations are not sent by GET.",
    OperationType.SUBSCRIPTION: "Subscriptions run over a socket (graphql-transport-ws), or with "
    "`Accept: text/event-stream` or `multipart/mixed`.",
}
"""Why an operation does not run on the transport it came by."""

STATUS = {
    "UNAUTHENTICATED": 401,
    "RATE_LIMITED": 429,
    "UNAVAILABLE": 503,
    "TIMEOUT": 504,
}
"""HTTP status of an answer that holds no data for one of these reasons."""


def as_request_error(error: BaseException | None) -> RequestError | None:
    """The fault an exception amounts to; None for a bug."""
    if isinstance(error, CannotGetOperationTypeError):
        return BadUserInput(error.as_http_error_reason())
    if isinstance(error, InvalidOperationTypeError):
        return BadUserInput(NOT_HERE[error.operation_type])
    if isinstance(error, UserError):
        return _met_by_query(error)
    return outages.fault_of(error) if error is not None else None


def _met_by_query(refusal: UserError) -> RequestError:
    """A refusal by a rule that mutations have too: `reason` is its code where the caller may cure it."""
    if refusal.code == "FORBIDDEN":
        return Forbidden(str(refusal))
    if ERROR_CODES[refusal.code].kind in (ErrorKind.FORBIDDEN, ErrorKind.AUTHENTICATION):
        return Forbidden(str(refusal), reason=refusal.code)
    return BadUserInput(str(refusal))


def public(error: GraphQLError, request_id: str, *, suggest: bool = False) -> GraphQLError:
    """The error as the client may see it; a bug is logged with its cause.

    To `suggest` names that are nearly what was written tells of a schema whose introspection is off.
    """
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        # Of parsing, validation or coercion: about the client's own document.
        extensions = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
        return _like(error, error.message if suggest else SUGGESTION.sub("", error.message), extensions)
    fault = as_request_error(original)
    if fault is not None:
        return _like(error, fault.message, fault.extensions)
    logger.error("bug", request_id=request_id, path=error.path, exc_info=original)
    return _like(error, INTERNAL_MESSAGE, {"code": "INTERNAL", "requestId": request_id})


def hide(result: Any, request_id: str) -> None:
    """Make public what is not yet: what an extension raises passes by those that would."""
    errors = getattr(result, "errors", None)
    if errors and any(error.original_error is not None for error in errors):
        result.errors = [public(error, request_id) if error.original_error else error for error in errors]


def translate(errors: Iterable[GraphQLError] | None, language: str) -> None:
    """Translate the messages that people may see; those for developers stay English."""
    if language != messages.SOURCE:
        for error in errors or ():
            error.message = messages.text(error.message, language=language)


def _like(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


class OneOperation(SchemaExtension):
    """Takes documents as they were read on admission, and refuses those of several operations of which none
    is named."""

    def on_parse(self) -> Iterator[None]:
        """Skip parsing and validation of a document that passed both when the operation was admitted."""
        context = self.execution_context
        reading = getattr(context.context, "reading", None)
        context.validation_rules = RULES
        if reading is not None and reading.document is not None:
            context.graphql_document = reading.document
            if reading.sound:
                context.validation_rules = ()
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        reading = getattr(context.context, "reading", None)
        if reading is not None and reading.document is not None and not reading.sound:
            context.pre_execution_errors = [*reading.errors]
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        several = sum(isinstance(each, OperationDefinitionNode) for each in definitions) > 1
        # Its own `operation_name` is that of the first operation where the client names none.
        if several and context._provided_operation_name is None:
            context.pre_execution_errors = [GraphQLError("Name the operation to run in `operationName`.")]
        yield


class PublicErrors(SchemaExtension):
    """Makes every error public before it leaves, on all transports."""

    def on_operation(self) -> Iterator[None]:
        self._streamed = False
        yield
        if not self._streamed:
            self._make_public(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        self._streamed = True
        self._make_public(result)
        yield

    def _make_public(self, result: Any) -> None:
        errors = getattr(result, "errors", None)
        if errors:
            context: Context = self.execution_context.context
            suggest = not context.services.settings.production
            result.errors = [public(error, context.request_id, suggest=suggest) for error in errors]
