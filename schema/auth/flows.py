"""Signing up, signing in and codes, as clients see them."""

from datetime import datetime

from core.binding import input_, key, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from core.text import Code, Line, Opaque
from schema.auth.accounts import User
from schema.auth.sessions import DeviceInput, Session, TokenPair
from stores.auth import AuthFactor, FlowPurpose, FlowStatus, OtpMethod


@type_
class AuthFlow:
    """An open request for a code."""

    id: Id = key("_id")
    """Name it in `verifyOtp`."""
    purpose: FlowPurpose
    """What it is for."""
    method: OtpMethod | None
    """How the code travels; EMAIL when texts and pushes failed."""
    masked_destination: str | None
    """Where it went, mostly hidden."""
    otp_length: int
    """How many digits the code has."""
    expires_at: datetime
    """When the code is no longer good."""
    resend_allowed_at: datetime
    """From when on `resendOtp` sends another."""
    attempts_left: int
    """How many wrong codes it still takes."""
    resends_left: int
    """How often `resendOtp` still sends one."""
    factors: list[AuthFactor]
    """Ways to finish it: `verifyOtp`, `verifyBackupCode`, or a sign-in with a key."""
    status: FlowStatus
    """Where it is."""


@input_
class SignUpInput(MutationInput):
    """A new account."""

    id: Id | None
    """The user's id, if the client minted one."""
    email: str
    """Address; a code is sent there."""
    password: Opaque
    """10 to 128 characters, not containing the email address, and not one of those that are guessed first."""
    first_name: Line | None
    """Given name, at most 100 characters."""
    last_name: Line | None
    """Family name, at most 100 characters."""
    locale: str = "en"
    """Language tag (BCP 47)."""
    time_zone: str = "UTC"
    """IANA time zone."""
    accepted_terms_version: str
    """Version of the terms the person accepted."""
    device: DeviceInput
    """The device that asks."""
    captcha_token: Opaque | None
    """Answer to a CAPTCHA, when one was demanded."""


@type_
class SignUpPayload(Payload):
    """A code is on its way, whether or not the address was free."""

    flow: AuthFlow | None
    """Finish it with `verifyOtp`; null when refused."""


@input_
class SignInInput(MutationInput):
    """Email and password."""

    email: str
    """The account's address."""
    password: Opaque
    """Its password."""
    device: DeviceInput
    """The device that asks."""
    captcha_token: Opaque | None
    """Answer to a CAPTCHA, when one was demanded."""


@type_
class SignInPayload(Payload):
    """Tokens, or a flow to finish first."""

    tokens: TokenPair | None
    """The session's tokens; null when refused or when `flow` comes first."""
    session: Session | None
    """The new session."""
    user: User | None
    """Who signed in."""
    flow: AuthFlow | None
    """A code to enter first; null when `tokens` are given."""


@input_
class VerifyOtpInput(MutationInput):
    """The code of a flow."""

    flow_id: Id
    """The flow."""
    code: Code
    """The digits received."""
    device_id: Id
    """The device that opened the flow."""


@type_
class VerifyOtpPayload(Payload):
    """What the flow was for: tokens, or the finished flow where there are none to give."""

    tokens: TokenPair | None
    """The session's tokens; null when refused, and for flows that change an account."""
    session: Session | None
    """The new session, or the one that was confirmed."""
    user: User | None
    """Whose flow it was."""
    flow: AuthFlow | None
    """The flow, when it gave no tokens; after a wrong code it tells the attempts left."""
    backup_codes: list[str] | None
    """Ten codes for when no other arrives, once the second factor is on: show them, they come once."""


@input_
class VerifyBackupCodeInput(MutationInput):
    """A backup code in place of the code of a flow."""

    flow_id: Id
    """The flow."""
    code: Code
    """Ten letters and digits; case, blanks and hyphens do not matter."""
    device_id: Id
    """The device that opened the flow."""


@type_
class VerifyBackupCodePayload(Payload):
    """What the flow was for, and how many codes are left."""

    tokens: TokenPair | None
    """The session's tokens; null when refused."""
    session: Session | None
    """The session."""
    user: User | None
    """Whose flow it was."""
    flow: AuthFlow | None
    """After a wrong code: the flow, with the attempts left."""
    backup_codes_left: int | None
    """How many codes are left; null when refused."""


@input_
class ResendOtpInput(MutationInput):
    """A flow whose code did not arrive."""

    flow_id: Id
    """The flow."""
    method: OtpMethod | None
    """Another way for it to travel, where the flow allows one."""
    device_id: Id
    """The device that opened the flow."""


@type_
class ResendOtpPayload(Payload):
    """A new code is on its way; the last one is void."""

    flow: AuthFlow | None
    """The flow, with when another may be sent; also when refused."""
