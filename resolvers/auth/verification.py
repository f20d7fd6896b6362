"""Finishing a flow with a code, and its follow-up."""

from collections.abc import Awaitable, Callable
from typing import Any

from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.values.text import Code
from resolvers.auth import accounts, changes, factors, flows, telling
from resolvers.auth.lockout import Attempt
from stores.auth import AuthFactor, AuthFlowKind, AuthFlowStatus, Flow

Following = Callable[[Context, Flow, AuthFactor], Awaitable[dict[str, Any]]]

FOLLOWING: dict[AuthFlowKind, Following] = {
    AuthFlowKind.SIGN_IN: accounts.signed_in_with,
    AuthFlowKind.VERIFY_EMAIL: accounts.email_verified,
    AuthFlowKind.STEP_UP: factors.stepped_up,
    AuthFlowKind.ENABLE_TWO_FACTOR: factors.enrolled,
    AuthFlowKind.CHANGE_PHONE: factors.phone_changed,
    AuthFlowKind.CHANGE_EMAIL: changes.email_changed,
}


async def verify_otp(
    ctx: Context, *, auth_flow_id: Id, code: Code, device_id: Id, prepared: Attempt | None = None
) -> dict[str, Any]:
    """Finish a flow's step with a one-time code; the result depends on the flow's purpose."""
    flow = await flows.flow_for_update(ctx, auth_flow_id, device_id)
    if not flows.is_well_formed(code):
        raise flows.malformed(flow)
    if not flows.is_code(ctx, flow, code):
        refusal = UserError("CODE_INVALID", "The code is wrong.", field=["code"])
        return await flows.missed(ctx, flow, prepared, refusal)
    await flows.close(ctx, flow, prepared)
    return await _follow(ctx, flow, AuthFactor.OTP)


async def verify_backup_code(
    ctx: Context, *, auth_flow_id: Id, code: Code, device_id: Id, prepared: Attempt | None = None
) -> dict[str, Any]:
    """Finish a flow's step with a backup code, which is spent."""
    flow = await flows.flow_for_update(ctx, auth_flow_id, device_id)
    if not factors.is_backup_code(code):
        raise UserError(
            "CODE_INVALID",
            "A backup code has {limit} letters and digits.",
            field=["code"],
            limit=factors.BACKUP_CODE_LETTERS,
            auth_flow=flows.shown(flow),
        )
    user = await factors.spend_backup_code(ctx, flow, code)
    if user is None:
        refusal = UserError("CODE_INVALID", "The backup code is wrong or was used.", field=["code"])
        return await flows.missed(ctx, flow, prepared, refusal)
    await flows.close(ctx, flow, prepared)
    return {**telling.account_changed(user), **await _follow(ctx, flow, AuthFactor.BACKUP_CODE)}


async def _follow(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Result of a verified flow: tokens, or the finished flow if there are none to issue."""
    payload = await FOLLOWING[AuthFlowKind(flow["purpose"])](ctx, flow, factor)
    if payload.get("tokens"):
        return payload
    return {**payload, "auth_flow": {**flows.shown(flow), "status": AuthFlowStatus.VERIFIED}}
