"""Payload fields, refusals and descriptions that several mutations of accounts share."""

from typing import Any

from core.ids import Id
from schema.auth.types import Account, AuthFlow, KeyChallenge, Session, TokenPair, User

PASSWORD = (
    "New password, 10 to 128 characters: without the email address, and not one of those that are guessed "
    "first."
)
CAPTCHA = "Token that a solved CAPTCHA gave, after CAPTCHA_REQUIRED."
DEVICE = "Device that sends the request, as the app describes it."
DEVICE_ID = "Id of the device that sends the request."
OF_FLOW = "Id of the device that opened the flow."
LANGUAGE = "Language tag (BCP 47) of messages to the person: `de-AT`."
TIME_ZONE = "IANA time zone of the person: `Europe/Vienna`."
PROVING = "ACCOUNT_LOCKED ACCOUNT_SUSPENDED CODE_INVALID CREDENTIALS_INVALID EXPIRED FLOW_SUPERSEDED"
"""Codes of a refused proof."""
FLOW: dict[str, Any] = {"auth_flow": (AuthFlow, "Flow to finish with `verifyOtp`; null when refused.")}
TOKENS: dict[str, Any] = {
    "tokens": (TokenPair, "Tokens of the session; null when there are none yet."),
    "session": (Session, "Session that the tokens are of; null when there are no tokens."),
    "user": (User, "Person whose session it is; null when refused."),
    "account": (Account, "Private half of the person's account; null when refused."),
}
"""Payload of a completed sign-in."""
PROVEN: dict[str, Any] = {
    **TOKENS,
    "auth_flow": (
        AuthFlow,
        "Flow that was finished without tokens, or goes on after a wrong code; else null.",
    ),
}
ACCOUNT: dict[str, Any] = {"account": Account}
ENDED: dict[str, Any] = {
    "sessions": (list[Session], "Sessions that ended, as they are now; null when refused."),
    "removed_session_ids": (list[Id], "Ids of the sessions that left the list of active ones."),
}
CHALLENGE: dict[str, Any] = {"challenge": KeyChallenge}
