"""Erasure of indirect traces of a deleted person: receipts, flows, and jobs that name them."""

from core import jobs
from core.context import Context, Services
from core.mutations import idempotency
from resolvers.auth import lockout
from stores import auth as store


async def erase_traces(services: Services, user_id: str) -> None:
    """Erase the traces, found by the email and devices that the deletion record keeps."""
    deletion = await store.deletions.by_id(services.db, user_id)
    sealed, devices = (deletion.get("email"), deletion.get("device_ids", [])) if deletion else (None, [])
    email = services.crypto.open(sealed, place=f"deletions/{user_id}") if sealed else ""
    for owner in (user_id, *devices):
        await idempotency.forget(services.db, owner)
    if email:
        # Sign-up flows have no user id and an encrypted email: the email's blind index finds them.
        account = lockout.account_of(Context(services), email)
        await store.flows.delete_all(services.db, {"account": account})
    await jobs.forget(services.db, person=user_id, address=email)
