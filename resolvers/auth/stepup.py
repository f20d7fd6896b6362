"""Step-up authentication: proving again who one is, before sensitive operations."""

from dataclasses import dataclass
from typing import Any, TypedDict

from core.context import Context
from core.errors import UserError, below
from core.ids import Id
from core.one_of import one_of
from core.values.text import Code, Opaque
from resolvers.auth import factors, flows, keys, lockout, passwords, security, sessions
from resolvers.auth.keys import KeyProof, Proof
from resolvers.auth.lockout import Attempt
from stores.auth import AuthFactor, AuthFlowKind, OtpMethod, SecurityEventKind, Session, User


@dataclass(frozen=True, slots=True)
class Judged:
    """Result of the given proof, judged before anything is written."""

    key: Proof | None = None
    attempt: Attempt | None = None
    wrong: bool = False
    locked: bool = False


class FlowCode(TypedDict):
    """Code of a flow."""

    auth_flow_id: Id
    """Id of the flow that an earlier `stepUp` with a `method` opened."""
    code: Code
    """One-time code that was received, six digits."""


@one_of
class StepUpProof(TypedDict, total=False):
    """Proof of who one is: one of several; `method` asks for a code to give as the next one."""

    password: Opaque | None
    """Password of the account."""
    key: KeyProof | None
    """Challenge of `beginKeySignIn`, signed by a key of the account."""
    code: FlowCode | None
    """One-time code that was sent, with its flow."""
    method: OtpMethod | None
    """Delivery method of a code to ask for: no proof yet, the answer is a flow."""


async def prepare_step_up(ctx: Context, *, proof: StepUpProof) -> Judged:
    """Judge the given proof, before anything is written."""
    _, user = await sessions.signed_in(ctx)
    if key := proof.get("key"):
        signed = (key["challenge_id"], key["key_id"], key["signature"])
        with below("proof", "key"):
            own = await keys.proven(ctx, ctx.signed_in.device_id, *signed, user_id=user["_id"])
        return Judged(key=own)
    if code := proof.get("code"):
        with below("proof", "code"):
            return Judged(attempt=await flows.begin_proof(ctx, **code))
    if (password := proof.get("password")) is not None:
        return await _judge_password(ctx, user, password)
    return Judged()


async def _judge_password(ctx: Context, user: User, password: str) -> Judged:
    attempt = await lockout.begin_attempt(ctx, lockout.in_session(ctx, user["email"]), captcha=False)
    if await passwords.matches(user["password_hash"], password):
        await lockout.record_success(ctx, attempt)
        return Judged()
    return Judged(wrong=True, locked=await lockout.record_failure(ctx, attempt))


async def step_up(ctx: Context, *, proof: StepUpProof, prepared: Judged) -> dict[str, Any]:
    """Fresh tokens of the session with a new `auth_time` for one proof; a flow if a code is requested."""
    session, user = await sessions.signed_in(ctx)
    if method := proof.get("method"):
        with below("proof"):
            return {"auth_flow": flows.shown(await _open(ctx, session, user, method))}
    if code := proof.get("code"):
        with below("proof", "code"):
            return await _by_code(ctx, session, user, code, prepared.attempt)
    if prepared.wrong:
        if prepared.locked:
            await security.record(ctx, user["_id"], SecurityEventKind.LOCKED)
        refusal = UserError("CREDENTIALS_INVALID", "The password is wrong.", field=["proof", "password"])
        return {"errors": [refusal.document]}
    factor = AuthFactor.PASSWORD
    if prepared.key is not None:
        with below("proof", "key"):
            kept = await keys.used(ctx, prepared.key)
        if kept:
            return kept
        factor = AuthFactor(prepared.key.key["kind"])
    return await sessions.proven(ctx, user, session, factor)


async def _open(ctx: Context, session: Session, user: User, method: OtpMethod) -> Any:
    return await factors.open_for(
        ctx,
        user,
        AuthFlowKind.STEP_UP,
        device=session["device"],
        session_id=session["_id"],
        method=method,
    )


async def _by_code(
    ctx: Context, session: Session, user: User, given: FlowCode, attempt: Attempt | None
) -> dict[str, Any]:
    flow = await flows.flow_for_update(ctx, given["auth_flow_id"], session["device"]["_id"])
    if flow["purpose"] != AuthFlowKind.STEP_UP:
        raise UserError("INVALID_INPUT", "This flow is for something else.", field=["authFlowId"])
    if not flows.is_well_formed(given["code"]):
        raise flows.malformed(flow)
    if not flows.is_code(ctx, flow, given["code"]):
        refusal = UserError("CODE_INVALID", "The code is wrong.", field=["proof", "code", "code"])
        return await flows.missed(ctx, flow, attempt, refusal)
    await flows.close(ctx, flow, attempt)
    return await sessions.proven(ctx, user, session, AuthFactor.OTP)
