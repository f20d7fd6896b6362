"""Payload fields, refusals and descriptions that several mutations of accounts share."""

from typing import Any

from core.ids import Id
from schema.auth.types import Account, AuthFlow, KeyChallenge, Session, TokenPair, User

PASSWORD = (
    "10 to 128 characters, not containing the email address, and not one of those that are guessed first."
)
CAPTCHA = "Answer to a CAPTCHA, when one was demanded."
OF_FLOW = "The device that opened the flow."
PROVING = "ACCOUNT_LOCKED ACCOUNT_SUSPENDED CODE_INVALID CREDENTIALS_INVALID EXPIRED FLOW_SUPERSEDED"
"""Codes of a refused proof."""
FLOW: dict[str, Any] = {"auth_flow": (AuthFlow, "Finish it with `verifyOtp`; null when refused.")}
TOKENS: dict[str, Any] = {
    "tokens": (TokenPair, "The session's tokens; null when refused."),
    "session": (Session, "The session; null when refused."),
    "user": (User, "Person whose session it is; null when refused."),
    "account": (Account, "Private half of their account; null when refused."),
}
"""Payload of a completed sign-in."""
PROVEN: dict[str, Any] = {
    **TOKENS,
    "auth_flow": (
        AuthFlow,
        "The flow, when it gave no tokens; after a wrong code it tells the attempts left.",
    ),
}
ACCOUNT: dict[str, Any] = {"account": Account}
ENDED: dict[str, Any] = {
    "sessions": (list[Session], "Sessions that ended, as they are now; null when refused."),
    "removed_session_ids": (list[Id], "Ids of the sessions that left the list of active ones."),
}
CHALLENGE: dict[str, Any] = {"challenge": KeyChallenge}
