"""Delivery of codes: drawn when they are sent, retried, by another provider, then by mail."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, NamedTuple

import structlog
from prometheus_client import Counter

from core import clock
from core.context import Context, Services
from core.jobs import enqueue
from core.ports import CircuitOpen, DeliveryFailed, FailureCode, Permanent, PushPriority, Sent, SmsSender
from ports.auth import AuthSettings
from resolvers.auth import accounts, flows, messages, sent
from resolvers.auth.addresses import masked_email
from resolvers.auth.flows import DOWN_FOR, Destination
from resolvers.auth.sent import SentMessage
from stores import auth as store
from stores.auth import AuthFlowKind, AuthFlowStatus, DevicePlatform, Flow, OtpMethod, User

logger = structlog.get_logger(__name__)

CODES = Counter("landfall_auth_codes_total", "One-time codes by way and result.", ["method", "result"])

WAITS = (2, 10, 30)
"""Seconds after the first, second and third try with one provider."""
PATIENCE = 15.0
"""Timeout of one request to a provider, in seconds."""
NOTICE = timedelta(days=1)
"""Least time between two mails to the owner of a taken email about sign-ups with it."""

RECORDED: dict[OtpMethod, Literal["EMAIL", "SMS"]] = {OtpMethod.EMAIL: "EMAIL", OtpMethod.SMS: "SMS"}

Send = Callable[[str], Awaitable[Sent]]


class Step(NamedTuple):
    """One delivery attempt, and the seconds to wait after it failed."""

    destination: Destination
    send: Send
    wait: int


async def deliver(services: Services, *, flow_id: str, send: int, step: int = 0) -> None:
    """Try one step of the way to the person; the next one is a job of its own."""
    flow = await store.flows.by_id(services.db, flow_id)
    if flow is None or not _wanted(flow, send) or flow["user_id"] is None:
        return
    ctx = Context(services)
    user = await store.users.by_id(services.db, flow["user_id"])
    way = await _way(ctx, flow, user)
    if user is None or step >= len(way):
        return
    taken = way[step]
    code = flows.new_code()
    if not await _written(ctx, flow, taken, code):
        return
    try:
        async with asyncio.timeout(PATIENCE):
            receipt = await taken.send(code)
    except (DeliveryFailed, TimeoutError) as problem:
        CODES.labels(taken.destination.method, "failed").inc()
        logger.warning(
            "code not delivered", flow=flow_id, method=taken.destination.method, step=step, why=str(problem)
        )
        await _failed(ctx, flow, way, send, step, problem)
    else:
        CODES.labels(taken.destination.method, "sent").inc()
        await services.window_counter.clear(f"down:{taken.destination.method}")
        await _record(services, flow, taken, receipt, send)


async def _record(services: Services, flow: Flow, step: Step, receipt: Sent, send: int) -> None:
    """Tell of a code that a provider took; pushes have no names by which anybody tells of them later."""
    user_id, method = flow["user_id"], step.destination.method
    if user_id is None or method not in RECORDED:
        return
    channel = RECORDED[method]
    await sent.tell(services, SentMessage(flow["_id"], user_id, channel, send, receipt.provider_ref))


def _wanted(flow: Flow, send: int) -> bool:
    """True if the code is still worth sending: the latest one of an open flow."""
    open_ = flow["status"] == AuthFlowStatus.OPEN and flow["expires_at"] > clock.now()
    return open_ and flow["sends"] == send


async def _written(ctx: Context, flow: Flow, step: Step, code: str) -> bool:
    """Store the code in the flow before it is sent; False if a resend has replaced it meanwhile."""

    async def write() -> bool:
        change = {
            "code_hash": flows.code_hash(ctx.services.signer, flow["_id"], code),
            "went": {
                "method": step.destination.method,
                "masked_destination": step.destination.masked,
            },
        }
        where = {"status": AuthFlowStatus.OPEN, "sends": flow["sends"]}
        return await ctx.tx.update(store.flows, flow["_id"], set=change, where=where) is not None

    return await ctx.unit(write)


async def _failed(
    ctx: Context, flow: Flow, way: list[Step], send: int, step: int, problem: Exception
) -> None:
    method = way[step].destination.method
    following = way[step + 1] if step + 1 < len(way) else None
    if following is None or following.destination.method != method:
        await ctx.services.window_counter.add(f"down:{method}", "all", within=DOWN_FOR)
    if following is None:
        logger.error("code given up", flow=flow["_id"], method=method)
        return
    # A provider that was not asked, or will never do it, is none to wait for.
    wait = 0 if isinstance(problem, (CircuitOpen, Permanent)) else way[step].wait
    due = clock.now() + timedelta(seconds=wait)
    await ctx.unit(
        lambda: enqueue(
            ctx.tx, "auth.deliver_code", due_at=due, flow_id=flow["_id"], send=send, step=step + 1
        )
    )


async def _way(ctx: Context, flow: Flow, user: User | None) -> list[Step]:
    """Steps of delivery: three tries, a second SMS provider, then mail.

    A code that proves a phone number or an email goes there alone.
    """
    if user is None:
        return []
    to = flows.destination_of(ctx, flow)
    if to.method == OtpMethod.EMAIL:
        return _tries(to, _by_mail(ctx, flow, to.to))
    if to.method == OtpMethod.SMS:
        first, *others = ctx.services.sms_senders
        way = _tries(to, _by_text(ctx, flow, to.to, first))
        way += [Step(to, _by_text(ctx, flow, to.to, other), 0) for other in others]
    else:
        way = _tries(to, _by_push(ctx, flow, user))
    if flow["purpose"] in (AuthFlowKind.SIGN_IN, AuthFlowKind.STEP_UP) and user["email_verified"]:
        mailbox = Destination(OtpMethod.EMAIL, user["email"], masked_email(user["email"]))
        way += _tries(mailbox, _by_mail(ctx, flow, user["email"]))
    return way


def _tries(destination: Destination, send: Send) -> list[Step]:
    return [Step(destination, send, wait) for wait in WAITS]


def _by_mail(ctx: Context, flow: Flow, to: str) -> Send:
    async def send(code: str) -> Sent:
        letter = messages.code_by_mail(ctx.services.get(AuthSettings), code, AuthFlowKind(flow["purpose"]))
        return await ctx.services.mailer.send(to=to, subject=letter.subject, text=letter.text)

    return send


def _by_text(ctx: Context, flow: Flow, to: str, sender: SmsSender) -> Send:
    async def send(code: str) -> Sent:
        platform = DevicePlatform(flow["device"]["platform"])
        text = messages.code_by_text(ctx.services.get(AuthSettings), code, platform)
        return await sender.send(to=to, text=text)

    return send


def _by_push(ctx: Context, flow: Flow, user: User) -> Send:
    async def send(code: str) -> Sent:
        letter = messages.code_by_push(ctx.services.get(AuthSettings), code, AuthFlowKind(flow["purpose"]))
        data = {"kind": "code", "flowId": flow["_id"]}
        reached = False
        problem: DeliveryFailed = Permanent(FailureCode.UNREACHABLE, "No device takes pushes.")
        for device in await store.devices_with_push(ctx.services.db, user["_id"]):
            if device["device_id"] == flow["device"]["_id"] or not device["push_token"]:
                continue
            place = f"devices/{device['_id']}/push_token"
            token = ctx.services.crypto.open(device["push_token"], place=place)
            try:
                await ctx.services.pusher.send(
                    token=token,
                    title=letter.subject,
                    text=letter.text,
                    data=data,
                    ttl=flows.LIFE,
                    priority=PushPriority.HIGH,
                )
                reached = True
            except DeliveryFailed as failed:
                problem = failed
        if not reached:
            raise problem
        return Sent()

    return send


async def begin_sign_up(services: Services, *, flow_id: str, send: int) -> None:
    """Look up whether the email is free and mail the code to its owner; a taken one gets a notice instead."""
    flow = await store.flows.by_id(services.db, flow_id)
    if flow is None or flow["status"] != AuthFlowStatus.OPEN:
        return
    ctx = Context(services)
    if flow["user_id"] is None and not await ctx.unit(lambda: accounts.sign_up_begun(ctx, flow)):
        await _tell_owner(ctx, flows.destination_of(ctx, flow).to)
        return
    await deliver(services, flow_id=flow_id, send=send)


async def begin_change_email(services: Services, *, flow_id: str, send: int) -> None:
    """The same for a new email of an existing account."""
    flow = await store.flows.by_id(services.db, flow_id)
    if flow is None or flow["status"] != AuthFlowStatus.OPEN:
        return
    ctx = Context(services)
    address = flows.destination_of(ctx, flow).to
    owner = await store.user_by_email(services.db, address)
    if owner is not None and owner["_id"] != flow["user_id"]:
        await ctx.unit(lambda: ctx.tx.update(store.flows, flow_id, set={"user_id": None}))
        await _tell_owner(ctx, address)
        return
    await deliver(services, flow_id=flow_id, send=send)


async def _tell_owner(ctx: Context, address: str) -> None:
    key = f"notice:{ctx.services.crypto.blind(address, place='notices')}"
    if (await ctx.services.window_counter.lately(key, within=NOTICE)).number:
        return
    letter = messages.taken_address(ctx.services.get(AuthSettings))
    await ctx.services.mailer.send(to=address, subject=letter.subject, text=letter.text)
    await ctx.services.window_counter.add(key, "told", within=NOTICE)
