"""Rule-based moderation of text: the default, which a trained model may replace."""

import re
from collections.abc import Sequence

from ports.feed import Shown, Verdict

MOST_LINKS = 5
LONGEST_RUN = 40
"""The same character so often in a row is no language."""
SHOUTED = 200
"""Capital letters beyond which shouting is doubtful."""

LINK = re.compile(r"https?://", re.IGNORECASE)
RUN = re.compile(rf"(\S)\1{{{LONGEST_RUN - 1},}}")
ILLEGAL = re.compile(
    r"\b(child porn(ography)?|csam|(buy|sell)(ing)? (cocaine|heroin|fentanyl|meth)|hire a hitman)\b",
    re.IGNORECASE,
)
THREAT = re.compile(
    r"\b(i('| wi)ll|i am going to|i'm going to|gonna) (kill|murder|stab|shoot|hurt) (you|him|her|them)\b",
    re.IGNORECASE,
)
SCAM = re.compile(
    r"\b(double your (money|bitcoin)|guaranteed (profit|returns)|send me (your )?(password|seed phrase))\b",
    re.IGNORECASE,
)
GORE = re.compile(r"\b(gore|beheading|graphic violence)\b", re.IGNORECASE)


class Rules:
    async def judge(self, text: str, shown: Sequence[Shown]) -> Verdict:
        if ILLEGAL.search(text):
            return Verdict(refuse=True, reason="OTHER")
        if THREAT.search(text):
            return Verdict(limit=True, reason="VIOLENCE")
        if SCAM.search(text) or len(LINK.findall(text)) > MOST_LINKS or RUN.search(text):
            return Verdict(limit=True, reason="SPAM")
        if len(text) > SHOUTED and text.isupper():
            return Verdict(limit=True, reason="SPAM")
        if GORE.search(text):
            return Verdict(label="SENSITIVE", reason="VIOLENCE")
        return Verdict()
