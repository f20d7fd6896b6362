"""Migrations of stored accounts and their log entries."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

import structlog

from core.mutations.renames import rename_receipts
from core.storage import transactions
from core.storage.migrations import migration, update_each
from core.storage.mongo import Database
from core.storage.unit import Unit
from core.sync import changes
from stores import auth as store
from stores.auth import AccountStatus, AuthFlowKind, User, UserKey, emails, person_scopes

MUTATIONS = {
    "resetPassword": "confirmPasswordReset",
    "changePassword": "setPassword",
    "changeEmail": "requestEmailChange",
    "changePhone": "requestPhoneChange",
    "beginKeyEnrolment": "beginKeyEnrollment",
    "finishKeyEnrolment": "finishKeyEnrollment",
    "registerPushToken": "setPushToken",
    "assignRoles": "setUserRoles",
}
"""Former names of mutations, with the present ones."""
CHANGED_INPUTS = (
    "signUp",
    "signIn",
    "beginKeySignIn",
    "finishKeySignIn",
    "deleteAuthKey",
    "revokeSession",
    "lockUser",
    "revokeUserSessions",
)
"""Mutations that kept their names while their inputs changed."""
RENAMED_INPUTS = ("setUserRoles", "finishKeySignIn", "stepUp")
"""Those whose inputs changed once more: `organization`, and signatures by the kind of key."""

logger = structlog.get_logger(__name__)

BATCH = 200
UNCERTAIN = r"[^\x21-\x7e]|[A-Z]|@.*xn--"
"""Emails that may have been stored in a form other than the canonical one."""


@migration("auth.canonical-emails")
async def canonical_emails(db: Database) -> int:
    """Migrate emails that case folding changed to their canonical form.

    Locks and flows of such an address are named by the older form; they end by themselves within a day.
    """
    after, changed = "email:", 0
    while keys := await store.email_keys(db, after=after, pattern=UNCERTAIN, limit=BATCH):
        for key in keys:
            moved, _ = await transactions.run(db, partial(_move, key=key))
            changed += moved
        after = keys[-1]["_id"]
    return changed


async def _move(tx: Unit, *, key: UserKey) -> bool:
    former = key["_id"].removeprefix("email:")
    wanted, id = emails.canonical(former), store.email_key(former)
    user = await store.users.by_id(tx.db, key["user_id"])
    if user is None or await store.user_keys.by_id(tx.db, key["_id"]) is None:
        return False
    if id != key["_id"]:
        if await store.user_keys.by_id(tx.db, id) is not None:
            logger.warning("two accounts have one address", user=user["_id"])
            return False
        await tx.insert(store.user_keys, {"_id": id, "user_id": user["_id"]})
        await tx.delete(store.user_keys, key["_id"])
    if user["email"] == wanted:
        return id != key["_id"]
    return await tx.update(store.users, user["_id"], set={"email": wanted}) is not None


@migration("auth.entries-for-keepers")
async def entries_for_keepers(db: Database) -> int:
    """Migrate log entries of people to reach everybody who keeps them, beside the person's own devices.

    They are logged anew, or devices that have synchronised already would never get the person.
    """
    done = 0
    async for people in _people(db):
        if lacking := await _lacking(db, people):
            logged, _ = await transactions.run(db, partial(_log_anew, ids=lacking))
            done += logged
    return done


def _people(db: Database) -> AsyncIterator[list[User]]:
    return store.users.batches(db, {}, fields=("status",), size=BATCH, scan=True)


def _entries_of(id: str) -> tuple[str, str]:
    """Log ids of a person's two public entries: the profile and its counters."""
    return id, f"counts:{id}"


async def _lacking(db: Database, people: Sequence[User]) -> list[str]:
    """Ids of entries that do not name all who keep the person."""
    wanted = {entry: set(person_scopes(each)) for each in people for entry in _entries_of(each["_id"])}
    found = await changes.named(db, list(wanted))
    return [each["_id"] for each in found if not each["deleted"] and wanted[each["_id"]] - {*each["scopes"]}]


async def _log_anew(tx: Unit, *, ids: Sequence[str]) -> int:
    """Log again, in a transaction: another process may have logged or deleted the person meanwhile."""
    people = await store.users.by_ids(tx.db, {id.removeprefix("counts:") for id in ids})
    lacking = set(await _lacking(tx.db, people))
    for person in people:
        own, counts = _entries_of(person["_id"])
        if own in lacking:
            tx.changed(person, scopes=person_scopes(person))
        if counts in lacking:
            tx.changed(person, aspect="counts", scopes=person_scopes(person))
    return len(lacking)


@migration("auth.accounts")
async def accounts(db: Database) -> int:
    """Migrate people to have an account beside what others see: its version, and its log entry.

    The version that a person's devices know is never undercut: both go on from it.
    """
    done = 0
    async for people in _people(db):
        if older := await _without_account(db, people):
            logged, _ = await transactions.run(db, partial(_give_accounts, ids=older))
            done += logged
        await changes.log.delete_all(db, {"_id": {"$in": [f"own:{each['_id']}" for each in people]}})
    return done


async def _without_account(db: Database, people: Sequence[User]) -> list[str]:
    by_account = {
        store.account_id(each["_id"]): each["_id"]
        for each in people
        if each["status"] != AccountStatus.DELETED
    }
    known = {entry["_id"] for entry in await changes.named(db, list(by_account))}
    return [user_id for account, user_id in by_account.items() if account not in known]


async def _give_accounts(tx: Unit, *, ids: Sequence[str]) -> int:
    counted = {"$set": {"account_changes": {"$subtract": ["$version", 1]}}}
    query = {"_id": {"$in": list(ids)}, "account_changes": {"$exists": False}}
    change = {"q": query, "u": [counted, {"$unset": "private_changes"}], "multi": True}
    await tx.db.write({"update": store.users.name, "updates": [change]})
    people = await store.users.by_ids(tx.db, ids)
    for person in people:
        tx.changed_further(store.users, person)
    return len(people)


@migration("auth.mutation-names")
async def mutation_names(db: Database) -> int:
    """Let receipts of mutations be found under the mutations' present names."""
    return await rename_receipts(db, MUTATIONS, CHANGED_INPUTS)


@migration("auth.security-events-synced")
async def security_events_synced(db: Database) -> int:
    """Migrate security events to entities, with a version and the moments that all entities have."""
    stamps = {"version": 1, "created_at": "$at", "updated_at": "$at"}
    return await update_each(db, store.security_events, {"version": {"$exists": False}}, [{"$set": stamps}])


@migration("auth.input-names")
async def input_names(db: Database) -> int:
    """Let receipts be found whose inputs had other names, and flows of two-factor enrollment be finished."""
    present = {"$set": {"purpose": AuthFlowKind.ENABLE_TWO_FACTOR}}
    flows = await update_each(db, store.flows, {"purpose": "ENROL_2FA"}, present)
    return flows + await rename_receipts(db, {}, RENAMED_INPUTS)
