"""Step-up authentication: proving again who one is, before sensitive operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.values.text import Code, Opaque
from resolvers.auth import factors, flows, keys, lockout, passwords, security, sessions
from resolvers.auth.keys import Proof
from resolvers.auth.lockout import Attempt
from stores.auth import AuthFactor, FlowPurpose, OtpMethod, SecurityKind, Session, User


@dataclass(frozen=True, slots=True)
class Judged:
    """Result of the given proof, judged before anything is written."""

    key: Proof | None = None
    attempt: Attempt | None = None
    wrong: bool = False
    locked: bool = False


async def prepare_step_up(
    ctx: Context,
    *,
    password: str | None = None,
    key: Mapping[str, Any] | None = None,
    flow_id: Id | None = None,
    code: str | None = None,
    method: OtpMethod | None = None,
) -> Judged:
    """Judge the given proof, before anything is written."""
    _, user = await sessions.signed_in(ctx)
    if (flow_id is None) != (code is None) or [password, key, flow_id, method].count(None) != 3:
        raise UserError("INVALID_INPUT", "Give one proof of who you are.")
    if key is not None:
        signed = dict(key)
        named = (signed.pop("challenge_id"), signed.pop("key_id"))
        own = await keys.proven(ctx, ctx.signed_in.device_id, *named, signed, user_id=user["_id"])
        return Judged(key=own)
    if flow_id is not None and code is not None:
        return Judged(attempt=await flows.begin_proof(ctx, flow_id=flow_id, code=code))
    if password is not None:
        return await _judge_password(ctx, user, password)
    return Judged()


async def _judge_password(ctx: Context, user: User, password: str) -> Judged:
    attempt = await lockout.begin_attempt(ctx, lockout.in_session(ctx, user["email"]), captcha=False)
    if await passwords.matches(user["password_hash"], password):
        await lockout.record_success(ctx, attempt)
        return Judged()
    return Judged(wrong=True, locked=await lockout.record_failure(ctx, attempt))


async def step_up(
    ctx: Context,
    *,
    password: Opaque | None = None,
    key: Mapping[str, Any] | None = None,
    flow_id: Id | None = None,
    code: Code | None = None,
    method: OtpMethod | None = None,
    prepared: Judged,
) -> dict[str, Any]:
    """Fresh tokens of the session with a new `auth_time` for one proof; a flow if a code is requested."""
    session, user = await sessions.signed_in(ctx)
    if method is not None:
        return {"flow": flows.shown(await _open(ctx, session, user, method))}
    if flow_id is not None and code is not None:
        return await _by_code(ctx, session, user, flow_id, code, prepared.attempt)
    if prepared.wrong:
        if prepared.locked:
            await security.record(ctx, user["_id"], SecurityKind.LOCKED)
        refusal = UserError("CREDENTIALS_INVALID", "The password is wrong.", field=["password"])
        return {"errors": [refusal.document]}
    factor = AuthFactor.PASSWORD
    if prepared.key is not None:
        if kept := await keys.used(ctx, prepared.key):
            return kept
        factor = AuthFactor(prepared.key.key["kind"])
    return await sessions.proven(ctx, user, session, factor)


async def _open(ctx: Context, session: Session, user: User, method: OtpMethod) -> Any:
    return await factors.open_for(
        ctx,
        user,
        FlowPurpose.STEP_UP,
        device=session["device"],
        session_id=session["_id"],
        method=method,
    )


async def _by_code(
    ctx: Context, session: Session, user: User, flow_id: Id, code: str, attempt: Attempt | None
) -> dict[str, Any]:
    flow = await flows.flow_for_update(ctx, flow_id, session["device"]["_id"])
    if flow["purpose"] != FlowPurpose.STEP_UP:
        raise UserError("INVALID_INPUT", "This flow is for something else.", field=["flowId"])
    if not flows.is_well_formed(code):
        raise flows.malformed(flow)
    if not flows.is_code(ctx, flow, code):
        refusal = UserError("CODE_INVALID", "The code is wrong.", field=["code"])
        return await flows.missed(ctx, flow, attempt, refusal)
    await flows.close(ctx, flow, attempt)
    return await sessions.proven(ctx, user, session, AuthFactor.OTP)
