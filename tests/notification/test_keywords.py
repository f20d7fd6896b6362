"""Keywords of text messages, by the golden cases N9."""

import pytest

from resolvers.notification.keywords import Keyword, keyword

STOP = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]


@pytest.mark.parametrize(
    "text",
    [*STOP, "OPT OUT", "stop please", "no mas", "No más!", " Stop. ", "S.T.O.P", "opt-out", "STOP ALL",
     "please stop texting me", "Please unsubscribe me", "\tquit\n"],
)  # fmt: skip
def test_words_that_revoke(text: str) -> None:
    assert keyword(text) is Keyword.STOP


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("START", Keyword.START),
        ("unstop", Keyword.START),
        ("Yes", Keyword.YES),
        ("HELP", Keyword.HELP),
        ("info?", Keyword.HELP),
        ("Ack", Keyword.ACKNOWLEDGE),
        ("ok!", Keyword.ACKNOWLEDGE),
        ("O.K.", Keyword.ACKNOWLEDGE),
    ],
)
def test_words_that_ask_for_something_else(text: str, kind: Keyword) -> None:
    assert keyword(text) is kind


@pytest.mark.parametrize(
    "text",
    ["", "please", "I will stop by at noon", "Does it end today?", "yes please call", "okay then", "no"],
)
def test_any_other_text_is_no_keyword(text: str) -> None:
    assert keyword(text) is None
