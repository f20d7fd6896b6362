"""Text normalisation: one Unicode form, no hidden characters, invisible text is empty."""

import unicodedata

import pytest

from core.values import text

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
KEPT = {
    "a family of joined emoji": FAMILY,
    "a red heart with its variation selector": "\u2764\ufe0f",
    "the flag of England": ENGLAND,
    "a keycap": "1\ufe0f\u20e3",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Sinhala with a joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Hebrew with a mark of direction": "\u05d0\u200f!",
    "two lines and a tab": "one\n\n\ttwo",
}


@pytest.mark.parametrize("typed", KEPT.values(), ids=KEPT)
def test_what_is_part_of_a_text_stays(typed: str) -> None:
    assert text.clean(typed) == unicodedata.normalize("NFC", typed)


HIDDEN = {
    "a null byte": ("a\0b", "ab"),
    "an escape": ("a\x1b[31mb", "a[31mb"),
    "an override": ("invoice\u202efdp.exe", "invoicefdp.exe"),
    "an isolate": ("\u2067a\u2069", "a"),
    "a byte order mark": ("\ufeffa\ufeff", "a"),
    "letters in tags": ("a\U000e0068\U000e0069", "a"),
    "a noncharacter": ("a\uffff\U0010ffff", "a"),
    "decomposed": ("e\u0301", "\xe9"),
    "line ends of everywhere": ("a\r\nb\rc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
    "blanks around": (" \xa0\u3000a b\u200b\u2003", "a b"),
}


@pytest.mark.parametrize(("typed", "kept"), HIDDEN.values(), ids=HIDDEN)
def test_what_hides_or_reorders_text_goes(typed: str, kept: str) -> None:
    assert text.clean(typed) == kept
    assert text.clean(kept) == kept


NOTHING = {
    "nothing": "",
    "blanks": " \t\n\xa0\u2003\u3000",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "marks of direction": "\u200e\u200f\u061c",
    "bidirectional controls": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    "variation selectors": "\ufe00\ufe0f\U000e0100",
    "a mark without a letter": "\u0301\u20e3",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "a Braille blank": "\u2800",
    "soft hyphens": "\xad\xad",
    "tags without a flag": "\U000e0068\U000e0069\U000e007f",
    "control characters": "\0\x01\x7f\x9f",
    "invisible operators": "\u2061\u2062\u2063\u2064",
    "a Mongolian separator": "\u180e\u180b",
    "Khmer vowels without a sound": "\u17b4\u17b5",
}


@pytest.mark.parametrize("typed", NOTHING.values(), ids=NOTHING)
def test_what_nobody_sees_is_empty(typed: str) -> None:
    assert (text.clean(typed), text.line(typed), text.file_name(typed)) == ("", "", "")


def test_a_name_has_one_line() -> None:
    assert text.line(" Ada\r\n\tLovelace\u2028 \U0001f600 ") == "Ada Lovelace \U0001f600"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\tax.pdf", "tax.pdf"),
        ("a/b\\c.txt", "c.txt"),
        ("folder/", ""),
        ("..", ""),
        ("a/...", ""),
        ("trailing. ", "trailing"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.txt", "console.txt"),
        ("a:hidden", "a_hidden"),
        ("cv\u202efdp.exe", "cvfdp.exe"),
        ("r\xe9sum\xe9 \U0001f600.pdf", "r\xe9sum\xe9 \U0001f600.pdf"),
    ],
)
def test_file_names_lose_path_parts(typed: str, kept: str) -> None:
    assert text.file_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123 456 ",
        "123-456",
        "12\u201334\u201356",
        "\uff11\uff12\uff13 \uff14\uff15\uff16",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6",
        "\u0967\u0968\u0969\u096a\u096b\u096c",
        "\u2068123456\u2069",
    ],
)
def test_codes_as_people_type_them(typed: str) -> None:
    assert text.code(typed) == "123456"


def test_a_long_run_of_marks_costs_no_more_than_its_length() -> None:
    """Sorting one takes the square of its length: these would take minutes."""
    assert len(text.clean("a" + "\u0323\u0301" * 150_000)) <= 1 + 30
    assert text.clean("\u0323\u0301" * 150_000) == ""


@pytest.mark.parametrize(
    "unseen", ["\u2065", "\ufff0\ufff8", "\U000e0080", "\U000e01f0\U000e0fff", "\U0001d159"]
)
def test_what_no_font_shows_is_empty(unseen: str) -> None:
    assert text.clean(unseen) == ""
