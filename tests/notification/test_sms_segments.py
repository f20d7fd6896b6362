"""Segments of text messages: the table of the standard, and cuts."""

import pytest

from resolvers.notification.sms_segments import count, fit, graphemes

YA, GRIN = "\u044f", "\U0001f600"
LINK = " https://x.example/s/1"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("{}[]", "GSM-7", 8, 1),
        (YA * 70, "UCS-2", 70, 1),
        (YA * 71, "UCS-2", 71, 2),
        (YA * 134, "UCS-2", 134, 2),
        (YA * 135, "UCS-2", 135, 3),
        (GRIN * 35, "UCS-2", 70, 1),
        (GRIN * 36, "UCS-2", 72, 2),
        ("a" * 159 + "\u2019", "UCS-2", 160, 3),
        ("\u00c7", "GSM-7", 1, 1),
        ("\u00e7", "UCS-2", 1, 1),
        ("`", "UCS-2", 1, 1),
        ("\t", "UCS-2", 1, 1),
        ("\u00a0", "UCS-2", 1, 1),
        ("", "GSM-7", 0, 1),
    ],
)
def test_a_text_has_so_many_segments(text: str, encoding: str, units: int, segments: int) -> None:
    assert count(text) == (encoding, units, segments)


def test_a_text_that_fits_is_left_alone() -> None:
    assert fit("a" * 160, 1, LINK) == "a" * 160
    assert fit("a" * 306, 2, LINK) == "a" * 306


def test_a_longer_one_is_cut_and_ends_in_the_link() -> None:
    cut = fit("a" * 161, 1, LINK)
    assert cut == "a" * (160 - len(LINK)) + LINK
    assert count(cut).segments == 1


def test_an_extension_character_is_not_cut() -> None:
    room = 160 - len(LINK)
    cut = fit("a" * (room - 1) + "€" + "a" * 30, 1, LINK)
    assert cut == "a" * (room - 1) + LINK


def test_emoji_turns_160_characters_into_ucs_2_and_the_cut_is_before_it() -> None:
    """Row "Emoji turns 160 characters into UCS-2": counted anew, cut before the emoji with a link."""
    text = "a" * 159 + GRIN
    assert count(text) == ("UCS-2", 161, 3)
    cut = fit(text, 1, LINK)
    assert cut == "a" * (160 - len(LINK)) + LINK
    assert count(cut) == ("GSM-7", 160, 1)


@pytest.mark.parametrize(
    "one",
    [
        "e\u0301",
        "\U0001f44d\U0001f3fd",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0f",
        "\U0001f3f4\U000e0067\U000e007f",
        "\r\n",
        "\u1112\u1161\u11ab",
        "\u0915\u094d\u0937\u093f",
        "\u0645\u200c",
    ],
)
def test_a_grapheme_is_not_cut(one: str) -> None:
    assert list(graphemes(f"a{one}{one}b")) == ["a", one, one, "b"]
    # Wherever the room ends, within a character too.
    for before in range(9):
        cut = fit("a" * before + one * 80, 1, LINK)
        assert set(graphemes(cut.removesuffix(LINK))) <= {"a", one}
        assert count(cut).segments == 1
