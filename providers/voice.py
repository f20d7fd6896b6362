"""Calls that read a text aloud and wait for a key, by Twilio's Calls resource (TwiML)."""

from xml.sax.saxutils import escape, quoteattr

from aiohttp import ClientSession, encode_basic_auth

from core.ports import Sent, VoiceCaller
from providers import twilio
from providers.account_url import Account, account
from providers.posting import post

KEY_SECONDS, DIGITS = 10, 1
LONGEST_TWIML = 4_000
"""Characters that Twilio takes with a call."""
VOICES = {
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "it": "it-IT",
    "nl": "nl-NL",
    "pt": "pt-BR",
}
"""Regions of languages that are written without one: voices have them all."""
FORM = "a voice provider is twilio://SID:TOKEN@host/number"


class TwilioVoice:
    """Implements `core.ports.VoiceCaller`; keys, outcome and who answered are told to `callback`."""

    def __init__(self, http: ClientSession, given: Account, callback: str) -> None:
        self._http, self._callback = http, callback
        self._url = f"{given.base}/2010-04-01/Accounts/{given.login}/Calls.json"
        self._headers = {"Authorization": encode_basic_auth(given.login, given.secret)}
        self._sender = given.sender

    async def send(self, *, to: str, text: str, language: str = "en") -> Sent:
        form = {
            "To": to,
            "From": self._sender,
            "Twiml": self._twiml(text, language),
            # Whether a person or a mailbox answered comes with the outcome.
            "MachineDetection": "Enable",
        }
        form |= {"StatusCallback": self._callback} if self._callback else {}
        status, answer = await post(self._http, "Twilio", self._url, data=form, headers=self._headers)
        if status >= 300 or answer.get("status") == "failed":
            raise twilio.failure(status, answer)
        return Sent(str(answer.get("sid", "")))

    def _twiml(self, text: str, language: str) -> str:
        voice = VOICES.get(language, language if "-" in language else VOICES["en"])
        action = f" action={quoteattr(self._callback)}" if self._callback else ""
        begin = (
            f'<Response><Gather input="dtmf" numDigits="{DIGITS}" timeout="{KEY_SECONDS}"{action}>'
            f"<Say language={quoteattr(voice)}>"
        )
        end = "</Say></Gather></Response>"
        return f"{begin}{_spoken(text, LONGEST_TWIML - len(begin) - len(end))}{end}"


def _spoken(text: str, most: int) -> str:
    """The text as XML of at most so many characters, which ends with a whole one."""
    spoken, left = [], most
    for character in text:
        # Control characters are none of XML's.
        written = escape(character) if character.isprintable() else " "
        left -= len(written)
        if left < 0:
            break
        spoken.append(written)
    return "".join(spoken)


def voice_caller(url: str, http: ClientSession, callbacks: str) -> VoiceCaller:
    """The provider that a URL describes, which calls back under `callbacks`; ValueError."""
    found = account(url, ("twilio",), FORM)
    return TwilioVoice(http, found, f"{callbacks}/{found.kind}" if callbacks else "")
