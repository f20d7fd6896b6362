"""Keywords of text messages: what a person asks for by a reply (47 CFR 64.1200(a)(10))."""

import re
from enum import StrEnum


class Keyword(StrEnum):
    """Kind of a request by text message."""

    STOP = "STOP"
    START = "START"
    YES = "YES"
    """A yes, which opts in again who has opted out, and means nothing otherwise."""
    HELP = "HELP"
    ACKNOWLEDGE = "ACKNOWLEDGE"


WORDS = {
    Keyword.STOP: "stop stopall unsubscribe cancel end quit revoke optout",
    Keyword.START: "start unstop",
    Keyword.YES: "yes",
    Keyword.HELP: "help info",
    Keyword.ACKNOWLEDGE: "ack ok",
}
KEYWORDS = {word: kind for kind, words in WORDS.items() for word in words.split()}
POLITE = frozenset(
    [
        "please",
        "pls",
        "thanks",
        "thank",
        "you",
        "now",
        "it",
        "all",
        "these",
        "texts",
        "messages",
        "texting",
        "me",
    ]
)
"""Words that add nothing to a request to stop."""
STOPPING = frozenset(["stop", "unsubscribe", "quit", "cancel", "revoke", "end"])
PHRASES = frozenset({"opt out", "no mas", "no more", "leave me alone", "do not text", "dont text"})
_NO_LETTERS = re.compile(r"[^\w\s]|_")


def keyword(text: str) -> Keyword | None:
    """The request that a text is, and nothing else but; None for any other text."""
    plain = text.casefold().replace("á", "a")
    joined = _NO_LETTERS.sub("", plain).split()
    apart = _NO_LETTERS.sub(" ", plain).split()
    for words in (joined, apart):
        if len(words) == 1 and words[0] in KEYWORDS:
            return KEYWORDS[words[0]]
        if _stops(words):
            return Keyword.STOP
    return None


def _stops(words: list[str]) -> bool:
    """True for free wording that says nothing else than to stop."""
    meant = [each for each in words if each not in POLITE]
    if " ".join(meant) in PHRASES:
        return True
    return bool(meant) and all(each in STOPPING for each in meant)
