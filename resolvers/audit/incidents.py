"""Incidents, which the log knows by their ids alone: whoever keeps them says which there are."""

from collections.abc import Sequence

from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.hooks import Hook
from core.values.bounds import check_length
from stores import audit as store

error_codes(
    ErrorKind.NOT_FOUND,
    retryable=True,
    INCIDENT_NOT_FOUND="The incident is not known yet, or not to you: send it again when it is.",
)

incident_exists = Hook[[Context, str], bool]("audit.incident_exists")
"""Asked whether an incident exists and is of the viewer's organization."""

LONGEST_ID = 128


async def check_known(ctx: Context, incident_ids: Sequence[str], *, field: Sequence[str]) -> None:
    """INCIDENT_NOT_FOUND for incidents that are neither known nor in the log of the viewer's organization."""
    for each in incident_ids:
        check_length(each, least=1, most=LONGEST_ID, field=field[-1])
    # Apart from the transaction: what is in the log stays, and a router joins nothing within one.
    logged = await store.incidents_in_log(ctx.services.db, ctx.org, incident_ids)
    for each in incident_ids:
        if each not in logged and not any(await incident_exists(ctx, each)):
            raise UserError("INCIDENT_NOT_FOUND", "There is no such incident.", field=field)
