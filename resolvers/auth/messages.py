"""Mails and texts to people. Nothing in them helps a stranger who reads them, except codes and links."""

from typing import NamedTuple
from urllib.parse import quote

from ports.auth import AuthSettings
from stores.auth import AuthFlowKind, DevicePlatform

REASONS = {
    AuthFlowKind.SIGN_IN: "to sign in",
    AuthFlowKind.VERIFY_EMAIL: "to confirm your address",
    AuthFlowKind.STEP_UP: "to confirm that it is you",
    AuthFlowKind.ENABLE_TWO_FACTOR: "to turn on the second factor",
    AuthFlowKind.CHANGE_PHONE: "to confirm your new number",
    AuthFlowKind.CHANGE_EMAIL: "to confirm your new address",
}


class Letter(NamedTuple):
    subject: str
    text: str


def code_by_mail(settings: AuthSettings, code: str, purpose: AuthFlowKind) -> Letter:
    life = "24 hours" if purpose == AuthFlowKind.VERIFY_EMAIL else "5 minutes"
    return Letter(
        f"Your {settings.app_name} code",
        f"{code} is your {settings.app_name} code {REASONS[purpose]}. It is good for {life}.\n\n"
        "We never ask for it by phone or mail. If you did not ask for it, somebody may know your password.",
    )


def code_by_push(settings: AuthSettings, code: str, purpose: AuthFlowKind) -> Letter:
    return Letter(f"Your {settings.app_name} code", f"{code} is your code {REASONS[purpose]}.")


def code_by_text(settings: AuthSettings, code: str, platform: DevicePlatform) -> str:
    """Text message with the mark by which the platform finds the code and fills it in.

    Android's SMS Retriever wants the app's hash last; iOS and browsers domain and code on the last line.
    """
    said = f"{code} is your {settings.app_name} code. Tell it to nobody."
    if platform == DevicePlatform.ANDROID and settings.android_app_hash:
        return f"<#> {said}\n{settings.android_app_hash}"
    if settings.ios_bound_domain:
        return f"{said}\n\n@{settings.ios_bound_domain} #{code}"
    return said


def taken_address(settings: AuthSettings) -> Letter:
    return Letter(
        f"You already have a {settings.app_name} account",
        f"Somebody asked to open a {settings.app_name} account with this address, which has one. "
        "If it was you, sign in, or reset your password. If not, there is nothing to do.",
    )


def password_reset(settings: AuthSettings, token: str) -> Letter:
    return Letter(
        f"Reset your {settings.app_name} password",
        "Open this link within 30 minutes to choose a new password; it works once:\n\n"
        f"{settings.reset_url}?token={quote(token)}\n\n"
        "If you did not ask for it, there is nothing to do.",
    )


def address_changing(settings: AuthSettings, to: str) -> Letter:
    return Letter(
        f"Your {settings.app_name} address is being changed",
        f"Somebody asked to change the address of your account to {to}. "
        "If this was not you, change your password and end the sessions you do not know.",
    )


def address_changed(settings: AuthSettings, to: str) -> Letter:
    return Letter(
        f"Your {settings.app_name} address was changed",
        f"Your account now has the address {to}; this one is no longer its address. "
        "If this was not you, write to us.",
    )


def phone_changing(settings: AuthSettings, to: str) -> Letter:
    return Letter(
        f"Your {settings.app_name} phone number is being changed",
        f"Somebody asked to change the phone number of your account to {to}. "
        "If this was not you, change your password and end the sessions you do not know.",
    )


def export_ready(settings: AuthSettings, link: str) -> Letter:
    return Letter(
        f"Your {settings.app_name} data",
        f"Everything kept about you is in this file, for seven days:\n\n{link}\n\n"
        "Whoever has the link has the file: do not pass it on. "
        "If you did not ask for it, change your password and end the sessions you do not know.",
    )
