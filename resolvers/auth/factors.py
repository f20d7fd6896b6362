"""Second factors: code destinations, substitutes for codes, and turning them on and off."""

import secrets
from collections.abc import Mapping
from typing import Any, TypedDict

from core import clock
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.jobs import enqueue
from core.one_of import one_of
from resolvers.auth import flows, lockout, phones, security, sessions, telling
from resolvers.auth.addresses import masked_email, valid_email
from resolvers.auth.flows import Destination, FlowOpened
from resolvers.auth.lockout import Attempt
from stores import auth as store
from stores.auth import AuthFactor, AuthFlowKind, Flow, OtpMethod, SecurityEventKind, User

BACKUP_CODES = 10
BACKUP_CODE_LETTERS = 10
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


async def offered(ctx: Context, user: User, device_id: str) -> list[AuthFactor]:
    """Second factors: those this person can use next, on this device."""
    chosen = user.get("two_factor")
    factors = [AuthFactor.OTP]
    factors += [AuthFactor.BACKUP_CODE] if chosen and chosen["backup_codes_left"] else []
    for key in await store.keys_of_user(ctx.db, user["_id"]):
        here = key["device"] is None or key["device"]["_id"] == device_id
        if here and key["disabled_at"] is None and AuthFactor(key["kind"]) not in factors:
            factors.append(AuthFactor(key["kind"]))
    return factors


async def usual_destination(
    ctx: Context, user: User, method: OtpMethod, device_id: str
) -> Destination | None:
    """Destination of a code by this method, or None."""
    chosen = user.get("two_factor")
    if method == OtpMethod.SMS:
        number = phones.number_of(ctx, user)
        return Destination(method, number, phones.masked(number)) if number else None
    if method == OtpMethod.EMAIL:
        if chosen and chosen["method"] == OtpMethod.EMAIL and chosen["destination"]:
            to = ctx.services.crypto.open(chosen["destination"], place=f"users/{user['_id']}/two_factor")
            return Destination(method, to, chosen["masked_destination"])
        return Destination(method, user["email"], masked_email(user["email"]))
    others = await store.devices_with_push(ctx.db, user["_id"])
    reached = any(each["device_id"] != device_id for each in others)
    return Destination(method, "", "your other devices") if reached else None


async def open_for(
    ctx: Context,
    user: User,
    purpose: AuthFlowKind,
    *,
    device: Mapping[str, Any],
    session_id: str | None = None,
    method: OtpMethod | None = None,
    passed: tuple[AuthFactor, ...] = (),
) -> Flow:
    """Open a flow for a known person's second factor, or by mail if they have none."""
    chosen = user.get("two_factor")
    wanted = method or (OtpMethod(chosen["method"]) if chosen else OtpMethod.EMAIL)
    to = await usual_destination(ctx, user, wanted, device["_id"])
    if to is None and method is not None:
        raise UserError("INVALID_INPUT", "Codes cannot reach you this way.", field=["method"])
    to = to or await usual_destination(ctx, user, OtpMethod.EMAIL, device["_id"])
    assert to is not None
    return await flows.open_flow(
        ctx,
        purpose,
        to,
        account=lockout.account_of(ctx, user["email"]),
        user_id=user["_id"],
        device=device,
        session_id=session_id,
        factors=await offered(ctx, user, device["_id"]),
        passed=passed,
    )


async def resend_otp(
    ctx: Context, *, auth_flow_id: Id, method: OtpMethod | None = None, device_id: Id
) -> FlowOpened:
    """Send a new code, by another method if the person can be reached so."""
    await ctx.limit(lockout.CODE_RATE, ctx.network)
    flow = await flows.flow_for_update(ctx, auth_flow_id, device_id)
    to = flows.destination_of(ctx, flow)
    if method is not None and method != to.method:
        to = await _other_way(ctx, flow, method)
    return {"auth_flow": flows.shown(await flows.send_again(ctx, flow, to))}


async def _other_way(ctx: Context, flow: Flow, method: OtpMethod) -> Destination:
    """Destination of a code by the other method; a new phone or email is proven over itself alone."""
    found = None
    if flow["purpose"] in (AuthFlowKind.SIGN_IN, AuthFlowKind.STEP_UP) and flow["user_id"]:
        user = await store.users.by_id(ctx.db, flow["user_id"])
        found = user and await usual_destination(ctx, user, method, flow["device"]["_id"])
    if not found:
        raise UserError(
            "INVALID_INPUT",
            "This flow's code cannot go this way.",
            field=["method"],
            auth_flow=flows.shown(flow),
        )
    return found


@one_of
class OtpDestination(TypedDict, total=False):
    """Destination of codes: one of several, as the method needs it."""

    phone: str | None
    """Phone number for SMS codes, with + and country code."""
    email: str | None
    """Email address for EMAIL codes."""


async def enable_two_factor(
    ctx: Context, *, method: OtpMethod, destination: OtpDestination | None = None
) -> FlowOpened:
    """Begin enrollment: the second factor is on only after a code has arrived."""
    await ctx.limit(lockout.NEW_DESTINATION_RATE)
    session, user = await sessions.signed_in(ctx)
    device_id = session["device"]["_id"]
    phone, email = (destination or {}).get("phone"), (destination or {}).get("email")
    if method == OtpMethod.SMS and phone is not None:
        number = phones.parsed(phone, user["locale"], ["destination", "phone"])
        to: Destination | None = Destination(method, number, phones.masked(number))
    elif method == OtpMethod.EMAIL and email is not None:
        address = valid_email(email, ["destination", "email"])
        to = Destination(method, address, masked_email(address))
    else:
        to = await usual_destination(ctx, user, method, device_id)
    if to is None:
        field = "destination" if method == OtpMethod.SMS else "method"
        raise UserError("INVALID_INPUT", "Codes cannot reach you this way.", field=[field])
    return await flows.open_own(ctx, AuthFlowKind.ENABLE_TWO_FACTOR, to, session, user)


async def enrolled(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Finish enrolment: the second factor is on, with backup codes that are shown this once."""
    to = flows.destination_of(ctx, flow)
    user_id = str(flow["user_id"])
    sealed = ctx.services.crypto.seal(to.to, place=f"users/{user_id}/two_factor")
    codes = await _new_backup_codes(ctx, user_id)
    chosen = {
        "method": to.method,
        "destination": sealed if to.method == OtpMethod.EMAIL else "",
        "masked_destination": to.masked,
        "backup_codes_left": len(codes),
        "enabled_at": clock.now(),
    }
    phone = phones.kept(ctx, user_id, to.to) if to.method == OtpMethod.SMS else {}
    user = await _changed(ctx, user_id, set={"two_factor": chosen, **phone})
    await security.record(ctx, user_id, SecurityEventKind.TWO_FACTOR_CHANGED, method=str(to.method))
    return {**telling.account_changed(user), "backup_codes": codes}


async def disable_two_factor(ctx: Context) -> telling.AccountChanged:
    """Turn the second factor off; idempotent."""
    _, user = await sessions.signed_in(ctx)
    if user.get("two_factor"):
        user = await _changed(ctx, user["_id"], set={"two_factor": None})
        await store.forget_backup_codes(ctx.db, user["_id"])
        await security.record(ctx, user["_id"], SecurityEventKind.TWO_FACTOR_CHANGED, method="NONE")
    return telling.account_changed(user)


async def regenerate_backup_codes(ctx: Context) -> dict[str, Any]:
    """Replace the backup codes; the new ones are shown once, the old ones are void."""
    _, user = await sessions.signed_in(ctx)
    if not user.get("two_factor"):
        raise UserError("WRONG_STATUS", "Turn the second factor on first.")
    codes = await _new_backup_codes(ctx, user["_id"])
    user = await _changed(ctx, user["_id"], set={"two_factor.backup_codes_left": len(codes)})
    await security.record(ctx, user["_id"], SecurityEventKind.TWO_FACTOR_CHANGED, backup_codes="NEW")
    return {**telling.account_changed(user), "backup_codes": codes}


async def begin_backup_proof(ctx: Context, *, auth_flow_id: Id, code: str, **_: Any) -> Attempt | None:
    """Begin an attempt with a backup code, as `flows.begin_proof` does for codes."""
    return await flows.begin_guess(ctx, auth_flow_id) if is_backup_code(code) else None


def is_backup_code(code: str) -> bool:
    return len(code) == BACKUP_CODE_LETTERS and set(code) <= set(ALPHABET)


async def spend_backup_code(ctx: Context, flow: Flow, code: str) -> User | None:
    """Spend a backup code: the changed person, or None if it is not theirs or was used before."""
    if AuthFactor.BACKUP_CODE not in flow["factors"] or flow["user_id"] is None:
        return None
    user_id = flow["user_id"]
    kept = await store.backup_codes.first(
        ctx.db, {"user_id": user_id, "hash": _backup_hash(ctx, user_id, code)}
    )
    if kept is None or await ctx.tx.delete(store.backup_codes, kept) is None:
        return None
    return await telling.change(ctx, user_id, inc={"two_factor.backup_codes_left": -1})


async def _new_backup_codes(ctx: Context, user_id: str) -> list[str]:
    await store.forget_backup_codes(ctx.db, user_id)
    codes = [
        "".join(secrets.choice(ALPHABET) for _ in range(BACKUP_CODE_LETTERS)) for _ in range(BACKUP_CODES)
    ]
    for number, code in enumerate(codes):
        hashed = _backup_hash(ctx, user_id, code)
        document = {"_id": f"{user_id}/{number}", "user_id": user_id, "hash": hashed}
        await ctx.tx.insert(store.backup_codes, document)
    return codes


def _backup_hash(ctx: Context, user_id: str, code: str) -> str:
    return ctx.services.signer.digest(f"backup:{user_id}:{code}".encode())


async def stepped_up(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Fresh tokens of the same session."""
    session, user = await sessions.signed_in(ctx)
    return await sessions.proven(ctx, user, session, factor)


async def request_phone_change(ctx: Context, *, phone: str) -> FlowOpened:
    """Send a code to the new number and a notice to the person's email."""
    await ctx.limit(lockout.NEW_DESTINATION_RATE)
    session, user = await sessions.signed_in(ctx)
    number = phones.parsed(phone, user["locale"])
    to = Destination(OtpMethod.SMS, number, phones.masked(number))
    await enqueue(ctx.tx, "auth.write", to=user["email"], letter="phone_changing", about=to.masked)
    return await flows.open_own(ctx, AuthFlowKind.CHANGE_PHONE, to, session, user)


async def phone_changed(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    to, user_id = flows.destination_of(ctx, flow), str(flow["user_id"])
    change: dict[str, Any] = phones.kept(ctx, user_id, to.to)
    before = await store.users.by_id(ctx.db, user_id)
    chosen = before and before.get("two_factor")
    if chosen and chosen["method"] == OtpMethod.SMS:
        change["two_factor.masked_destination"] = to.masked
    user = await _changed(ctx, user_id, set=change)
    await security.record(ctx, user_id, SecurityEventKind.TWO_FACTOR_CHANGED, phone="NEW")
    return {**telling.account_changed(user)}


async def _changed(ctx: Context, user_id: str, *, set: Mapping[str, Any]) -> User:
    user = await telling.change(ctx, user_id, set=set)
    if user is None:
        raise UserError("NOT_FOUND", "This account is gone.")
    return user
