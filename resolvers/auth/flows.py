"""Flows: one-time proofs by code. One of a few attempts closes a flow, once."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from prometheus_client import Counter

from core import clock, ids
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.jobs import enqueue
from core.messages import gettext_noop
from core.nodes import guard
from core.storage.loader import in_order
from resolvers.auth import devices, lockout, security
from resolvers.auth.lockout import Attempt
from stores import auth as store
from stores.auth import (
    AuthFactor,
    AuthFlowKind,
    AuthFlowStatus,
    Flow,
    OtpMethod,
    SecurityEventKind,
    Session,
    User,
)

error_codes(
    ErrorKind.INVALID,
    CODE_INVALID="The code is wrong or was used; the flow tells how many attempts are left.",
)
error_codes(ErrorKind.WRONG_STATUS, FLOW_SUPERSEDED="A newer flow took its place: use the code of that one.")
error_codes(
    ErrorKind.TRANSIENT,
    DELIVERY_UNAVAILABLE="Codes cannot be sent this way for the moment: use another of the flow's factors.",
)

RESENDS_REFUSED = Counter("landfall_auth_resends_refused_total", "Codes asked for too soon or too often.")

LIFE, LIFE_OF_SIGN_UP = timedelta(minutes=5), timedelta(hours=24)
DIGITS = 6
ATTEMPTS = 5
COOLDOWNS = (timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120))
"""Waits before the first, second and third resend."""
DAY = timedelta(days=1)
DAILY = 10
"""Codes per destination and day."""
OWN = frozenset({AuthFlowKind.SIGN_IN, AuthFlowKind.STEP_UP})
"""Purposes that require the password first, for destinations proven to be the person's."""
DOWN_FOR = timedelta(seconds=60)
"""Time for which a delivery method that failed completely is skipped."""
KEPT = timedelta(hours=24)
"""Retention of a closed flow, for a restarted app to learn its outcome."""

OVER = gettext_noop("This code is no longer good.")
SHOWN = (
    *("_id", "purpose", "method", "masked_destination", "otp_length", "expires_at", "resend_allowed_at"),
    *("attempts_left", "resends_left", "factors", "status"),
)


class FlowOpened(TypedDict):
    auth_flow: dict[str, Any]


class Destination(NamedTuple):
    """Destination of a code, and its masked form."""

    method: OtpMethod
    to: str
    masked: str


async def open_flow(
    ctx: Context,
    purpose: AuthFlowKind,
    destination: Destination,
    *,
    account: str,
    user_id: str | None,
    device: Mapping[str, Any],
    session_id: str | None = None,
    factors: Sequence[AuthFactor] = (AuthFactor.OTP,),
    passed: Sequence[AuthFactor] = (),
    change: dict[str, Any] | None = None,
    task: str = "auth.deliver_code",
) -> Flow:
    """Open a flow in place of an older one; after the commit, the job `task` sends its code."""
    life = LIFE_OF_SIGN_UP if purpose == AuthFlowKind.VERIFY_EMAIL else LIFE
    await store.supersede(ctx.db, account=account, purpose=purpose, device_id=device["_id"])
    id, now = ids.new_id("flow"), clock.now()
    counted = _sends(ctx, destination, purpose, user_id)
    wait = await _sent_too_often(ctx, counted)
    others = [factor for factor in factors if factor != AuthFactor.OTP]
    if wait and not others:
        raise UserError("LIMIT_REACHED", "Too many codes were sent there.", retry_after_seconds=wait)
    flow = await ctx.tx.insert(
        store.flows,
        {
            "_id": id,
            "purpose": purpose,
            "account": account,
            "user_id": user_id,
            "device": dict(device),
            "session_id": session_id,
            "method": destination.method,
            "destination": _sealed(ctx, id, destination),
            "masked_destination": destination.masked,
            "went": None,
            "code_hash": None,
            "otp_length": DIGITS,
            "attempts_left": ATTEMPTS,
            "sends": 0 if wait else 1,
            "resends_left": 0 if wait else len(COOLDOWNS),
            "resend_allowed_at": now + COOLDOWNS[0],
            "expires_at": now + life,
            "factors": others if wait else list(factors),
            "passed": list(passed),
            "change": change or {},
            "status": AuthFlowStatus.OPEN,
            "purge_at": now + life + KEPT,
            "created_at": now,
            "updated_at": now,
        },
    )
    if not wait:
        await _send(ctx, flow, counted, task)
    return flow


async def open_own(
    ctx: Context, purpose: AuthFlowKind, destination: Destination, session: Session, user: User, **how: Any
) -> FlowOpened:
    """Open a flow in a person's session, to change their own account."""
    flow = await open_flow(
        ctx,
        purpose,
        destination,
        account=lockout.account_of(ctx, user["email"]),
        user_id=user["_id"],
        device=session["device"],
        session_id=session["_id"],
        **how,
    )
    return {"auth_flow": shown(flow)}


@guard("flow")
async def known_flows(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Access guard of flows: whoever knows the id may read one, an app that was restarted for instance."""
    found = in_order(wanted, await store.flows.by_ids(ctx.db, wanted))
    return [flow and shown(flow) for flow in found]


def shown(flow: Flow) -> dict[str, Any]:
    """The public fields of a flow: all that clients see, and all that idempotency receipts keep."""
    known: Mapping[str, Any] = flow
    return {**{name: known[name] for name in SHOWN}, **(flow["went"] or {}), "status": _status(flow)}


def _status(flow: Flow) -> AuthFlowStatus:
    over = flow["status"] == AuthFlowStatus.OPEN and flow["expires_at"] <= clock.now()
    return AuthFlowStatus.EXPIRED if over else AuthFlowStatus(flow["status"])


async def begin_proof(ctx: Context, *, auth_flow_id: Id, code: str, **_: Any) -> Attempt | None:
    """Begin an attempt at a flow's code, before its transaction; None where nothing can be guessed."""
    return await begin_guess(ctx, auth_flow_id) if is_well_formed(code) else None


async def begin_guess(ctx: Context, flow_id: str) -> Attempt | None:
    await ctx.limit(lockout.CODE_RATE, ctx.network)
    flow = await store.flows.by_id(ctx.services.db, ids.checked(flow_id, "flow"))
    if flow is None or _status(flow) != AuthFlowStatus.OPEN:
        return None
    subject = await lockout.subject_of(ctx, flow["account"], flow["user_id"], flow["device"]["_id"])
    return await lockout.begin_attempt(ctx, subject, captcha=False, waits=False)


async def flow_for_update(ctx: Context, flow_id: str, device_id: str | None = None) -> Flow:
    """Open flow of this device, and of this session if it was begun in one; raises the reason if none."""
    flow = await store.flows.by_id(ctx.db, ids.checked(flow_id, "flow"))
    if flow is None:
        raise UserError("EXPIRED", OVER)
    status = _status(flow)
    if status == AuthFlowStatus.LOCKED:
        raise UserError("EXPIRED", "Too many wrong codes: begin again.", auth_flow=shown(flow))
    if status == AuthFlowStatus.SUPERSEDED:
        raise UserError("FLOW_SUPERSEDED", "A newer code was asked for.", auth_flow=shown(flow))
    foreign = device_id is not None and flow["device"]["_id"] != devices.id_of(device_id)
    if flow["session_id"] is not None:
        foreign = foreign or ctx.signed_in.session_id != flow["session_id"]
    if status != AuthFlowStatus.OPEN or foreign:
        raise UserError("EXPIRED", OVER, auth_flow=None if foreign else shown(flow))
    return flow


def device_of(flow: Flow) -> dict[str, Any]:
    """Device that began the flow, as the client described it."""
    return {**flow["device"], "device_id": flow["device"]["_id"]}


def is_well_formed(code: str) -> bool:
    """True if it could be a one-time code: a typing error costs no attempt."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def malformed(flow: Flow) -> UserError:
    return UserError(
        "CODE_INVALID", "A code has {limit} digits.", field=["code"], limit=DIGITS, auth_flow=shown(flow)
    )


def is_code(ctx: Context, flow: Flow, code: str) -> bool:
    """True if it is the flow's latest code; a decoy flow, which can lead to nothing, has none."""
    expected = flow["code_hash"] or ""
    return hmac.compare_digest(expected, code_hash(ctx.services.signer, flow["_id"], code))


def code_hash(signer: Any, flow_id: str, code: str) -> str:
    """Keyed hash of a code: a plain one of six digits would be found by trying all."""
    digest: str = signer.digest(f"code:{flow_id}:{code}".encode())
    return digest


def new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


async def close(ctx: Context, flow: Flow, attempt: Attempt | None) -> None:
    """Close the flow; of two concurrent right codes one wins, the other finds it closed."""
    where = {"status": AuthFlowStatus.OPEN, "sends": flow["sends"]}
    change: dict[str, Any] = {
        "status": AuthFlowStatus.VERIFIED,
        "change": {},
        "destination": "",
        "code_hash": None,
    }
    if await ctx.tx.update(store.flows, flow["_id"], set=change, where=where) is None:
        raise UserError("EXPIRED", OVER)
    if attempt is not None:
        ctx.tx.after_commit(lambda: lockout.record_success(ctx, attempt))


async def missed(ctx: Context, flow: Flow, attempt: Attempt | None, refusal: UserError) -> dict[str, Any]:
    """Count a wrong code. The payload is committed, unlike other user errors, which roll back."""
    left = flow["attempts_left"] - 1
    change = {"attempts_left": left, **({} if left else {"status": AuthFlowStatus.LOCKED})}
    after = await ctx.tx.update(store.flows, flow["_id"], set=change, where={"status": AuthFlowStatus.OPEN})

    async def count() -> None:
        if attempt is not None and await lockout.record_failure(ctx, attempt) and flow["user_id"]:
            device: Any = flow["device"]
            await security.record_apart(ctx, flow["user_id"], SecurityEventKind.LOCKED, device=device)

    ctx.tx.after_commit(count)
    return {"errors": [refusal.document], "auth_flow": shown(after or flow)}


async def send_again(ctx: Context, flow: Flow, destination: Destination) -> Flow:
    """Request a new code; the last one is void from now on."""
    now = clock.now()
    if flow["resends_left"] and now < flow["resend_allowed_at"]:
        raise _too_soon(flow, now)
    counted = _sends(ctx, destination, flow["purpose"], flow["user_id"])
    wait = await _sent_too_often(ctx, counted)
    if flow["resends_left"] <= 0 or wait:
        RESENDS_REFUSED.inc()
        raise UserError(
            "LIMIT_REACHED", "No more codes are sent there.", retry_after_seconds=wait, auth_flow=shown(flow)
        )
    if await is_down(ctx, destination.method):
        raise UserError("DELIVERY_UNAVAILABLE", "Codes cannot be sent this way now.", auth_flow=shown(flow))
    step = min(flow["sends"], len(COOLDOWNS) - 1)
    after = await ctx.tx.update(
        store.flows,
        flow["_id"],
        set={
            "method": destination.method,
            "destination": _sealed(ctx, flow["_id"], destination),
            "masked_destination": destination.masked,
            "went": None,
            "code_hash": None,
            "resend_allowed_at": now + COOLDOWNS[step],
        },
        inc={"sends": 1, "resends_left": -1},
        where={"status": AuthFlowStatus.OPEN, "sends": flow["sends"]},
    )
    if after is None:
        raise UserError("EXPIRED", OVER)
    await _send(ctx, after, counted, "auth.deliver_code")
    return after


def _too_soon(flow: Flow, now: datetime) -> UserError:
    RESENDS_REFUSED.inc()
    left = max(1, round((flow["resend_allowed_at"] - now).total_seconds()))
    return UserError("RATE_LIMITED", "Wait a little.", retry_after_seconds=left, auth_flow=shown(flow))


async def is_down(ctx: Context, method: OtpMethod) -> bool:
    return (await ctx.services.window_counter.lately(f"down:{method}", within=DOWN_FOR)).number > 0


def destination_of(ctx: Context, flow: Flow) -> Destination:
    opened = ctx.services.crypto.open(flow["destination"], place=f"auth_flows/{flow['_id']}")
    return Destination(OtpMethod(flow["method"]), opened, flow["masked_destination"])


def _sealed(ctx: Context, id: str, destination: Destination) -> str:
    return ctx.services.crypto.seal(destination.to, place=f"auth_flows/{id}")


async def _sent_too_often(ctx: Context, counted: str) -> int | None:
    """Seconds until another code may be sent there, or None."""
    sent = await ctx.services.window_counter.lately(counted, within=DAY)
    if sent.number < DAILY:
        return None
    return max(1, round(sent.first + DAY.total_seconds() - clock.timestamp()))


async def _send(ctx: Context, flow: Flow, counted: str, task: str) -> None:
    await enqueue(ctx.tx, task, flow_id=flow["_id"], send=flow["sends"])
    member = f"{flow['_id']}:{flow['sends']}"

    async def count() -> None:
        await ctx.services.window_counter.add(counted, member, within=DAY)

    ctx.tx.after_commit(count)


def _sends(ctx: Context, destination: Destination, purpose: str, user_id: str | None) -> str:
    """Rate-limit key of codes to a destination: the owner's own requests are counted apart from anybody's."""
    whose = user_id if purpose in OWN else ""
    to = f"{destination.method}:{destination.to or user_id or ''}:{whose}"
    return f"sends:{ctx.services.crypto.blind(to, place='codes/destination')}"
