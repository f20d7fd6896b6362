"""The second factor, address, phone and password, as clients change them."""

from core.binding import input_, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from core.text import Opaque
from schema.auth.accounts import User
from schema.auth.flows import AuthFlow
from stores.auth import OtpMethod


@input_
class EnableTwoFactorInput(MutationInput):
    """How codes are to travel."""

    method: OtpMethod
    """SMS, EMAIL, or PUSH to your other devices."""
    phone: str | None
    """For SMS: the number, with + and country code; your present one when left out."""
    email: str | None
    """For EMAIL: the address; your account's when left out."""


@type_
class EnableTwoFactorPayload(Payload):
    """A code is on its way: `verifyOtp` turns the second factor on and gives backup codes."""

    flow: AuthFlow | None
    """Finish it with `verifyOtp`; null when refused."""


@input_
class DisableTwoFactorInput(MutationInput):
    """The second factor goes, with its backup codes."""


@type_
class DisableTwoFactorPayload(Payload):
    """The second factor is off."""

    user: User | None
    """You; null when refused."""


@input_
class RegenerateBackupCodesInput(MutationInput):
    """New backup codes; the old ones are void."""


@type_
class RegenerateBackupCodesPayload(Payload):
    """Ten new codes."""

    backup_codes: list[str] | None
    """Show them: they come once, and are null in a replay. If the answer was lost, ask for new ones."""
    user: User | None
    """You; null when refused."""


@input_
class ChangeEmailInput(MutationInput):
    """A new address."""

    email: str
    """A code is sent there, and word of it to the old one."""


@type_
class ChangeEmailPayload(Payload):
    """A code is on its way, whether or not the address was free."""

    flow: AuthFlow | None
    """Finish it with `verifyOtp`; null when refused."""


@input_
class ChangePhoneInput(MutationInput):
    """A new phone number."""

    phone: str
    """With + and country code; a code is sent there."""


@type_
class ChangePhonePayload(Payload):
    """A code is on its way to the new number."""

    flow: AuthFlow | None
    """Finish it with `verifyOtp`; null when refused."""


@input_
class ChangePasswordInput(MutationInput):
    """A new password for the present one."""

    current_password: Opaque
    """The present one."""
    new_password: Opaque
    """10 to 128 characters, not containing the email address, and not one of those that are guessed first."""


@type_
class ChangePasswordPayload(Payload):
    """The password is new, and all other sessions are over."""

    user: User | None
    """You; null when refused."""
    ended_session_ids: list[Id] | None
    """Your other sessions; null when refused."""


@input_
class RequestPasswordResetInput(MutationInput):
    """Whose password is to be reset."""

    email: str
    """The account's address."""
    device_id: Id
    """The device that asks."""
    captcha_token: Opaque | None
    """Answer to a CAPTCHA, when one was demanded."""


@type_
class RequestPasswordResetPayload(Payload):
    """If there is such an account, a link is on its way to it."""


@input_
class ResetPasswordInput(MutationInput):
    """A new password for the token of a link."""

    token: Opaque
    """From the link; good for 30 minutes, once."""
    new_password: Opaque
    """10 to 128 characters, not containing the email address, and not one of those that are guessed first."""
    device_id: Id
    """The device that asks."""


@type_
class ResetPasswordPayload(Payload):
    """The password is new, every session is over, and a lock is lifted: sign in."""
