"""Text folding and tokenisation: words as they are searched, one way for entries and for what looks them up.

Case, accents and forms of letters matter in no script; the vowel signs of those that spell with them do.
Scripts without blanks between words are searched by single letters and overlapping pairs.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

FOLDING = 2
"""Version of the folding, raised with every change of its results: stored texts are then folded again."""

WORD = re.compile(r"[^\W_]+")
APOSTROPHES = "'`\u2019\u02bb\u02bc"
"""`Lion's` and `lions` are one word."""
LETTERS = {
    **{"ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ŧ": "t", "ŋ": "n", "\u0131": "i"},
    **{"æ": "ae", "œ": "oe", "\u0138": "k"},
    # Arabic as it is written in Cairo, Tehran or Lahore, with and without care.
    **{"\u0649": "\u064a", "\u06cc": "\u064a", "\u0629": "\u0647", "\u06c1": "\u0647", "\u06a9": "\u0643"},
    "\u0671": "\u0627",
}
"""Letters that are not taken apart into a plain one and its accent, but are typed as one."""
ACCENTS = (
    *(
        (0x0300, 0x036F),
        (0x0483, 0x0489),
        (0x1AB0, 0x1AFF),
        (0x1DC0, 0x1DFF),
        (0x20D0, 0x20FF),
        (0xFE20, 0xFE2F),
    ),
    # Vowel points of Hebrew and Arabic, which most people leave out, and the stroke that stretches a word.
    *(
        (0x0591, 0x05C7),
        (0x0610, 0x061A),
        (0x0640, 0x0640),
        (0x064B, 0x065F),
        (0x0670, 0x0670),
        (0x06D6, 0x06ED),
    ),
)
"""Marks that are no part of the letter; those of other scripts are vowels or tones, and stay."""
UNSEEN = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Variation selectors; what formats text goes by its category."""
JOINED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007)),
    *((0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F)),
    *((0xAC00, 0xD7FF), (0x20000, 0x3FFFF)),
)
"""Thai, Lao, Burmese, Khmer, Han, kana, Hangul: words are written together, or with endings."""

SHORTEST_PREFIX, LONGEST_PREFIX = 2, 12
MOST_PREFIXES = 200
MOST_KEPT = 20_000
LONGEST_KEPT = 200
"""Longest text that is cached, in letters: anybody may send long ones, and no two alike."""
FEWEST_DIGITS, SHORTEST_CODE, LONGEST_CODE = 3, 4, 64
SHORTEST_NEAR, LONGEST_NEAR = 4, 24


class _Folding(dict[int, str | None]):
    """Folding of each letter, computed when it is first met."""

    def __missing__(self, code: int) -> str | None:
        folded = _letter(chr(code), code)
        if len(self) < MOST_KEPT:
            self[code] = folded
        return folded


def _letter(letter: str, code: int) -> str | None:
    if letter in APOSTROPHES or _within(code, UNSEEN) or unicodedata.category(letter) == "Cf":
        return None
    if letter in LETTERS:
        return LETTERS[letter]
    if _within(code, ACCENTS) and unicodedata.category(letter) in ("Mn", "Me", "Lm"):
        return None
    digit = unicodedata.decimal(letter, None)
    return letter if digit is None else str(digit)


def _within(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)


_folding = _Folding()


def fold(text: str) -> str:
    """The text in small letters without accents, and digits as ours."""
    return _kept_fold(text) if len(text) <= LONGEST_KEPT else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower().translate(_folding)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", apart.translate(_folding))


_kept_fold = lru_cache(maxsize=MOST_KEPT)(_fold)


def key(text: str) -> str:
    """Search key: the same for two spellings of one name, as `Ω-3 (EPA)` and `ω 3 epa`."""
    return _kept_key(text) if len(text) <= LONGEST_KEPT else _key(text)


def _key(text: str) -> str:
    return " ".join(words(text))


_kept_key = lru_cache(maxsize=MOST_KEPT)(_key)


def words(text: str) -> list[str]:
    """Words as they are written, each with its vowel signs."""
    folded = fold(text)
    if folded.isascii():
        return WORD.findall(folded)
    return "".join(each if _is_part(each) else " " for each in folded).split()


def _is_part(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"


def slug(text: str) -> str:
    return "-".join(words(text))


def joined(text: str) -> bool:
    """True for a script that writes words together, so that one letter may be a word."""
    return not text.isascii() and any(_within(ord(each), JOINED) for each in text)


def begins(text: str, stem: str) -> bool:
    """True if words of the text begin with the stem; in scripts without word breaks, if it is in the text."""
    wanted = key(stem)
    if not wanted:
        return bool(stem.strip()) and fold(stem.strip()) in fold(text)
    found = key(text)
    return wanted in found if joined(wanted) else f" {found}".find(f" {wanted}") >= 0


def terms(text: str) -> list[str]:
    """Index terms of a text: its words; of words written together each letter and each pair."""
    return [term for word in words(text) for term in _terms(word, singles=True)]


def query_terms(text: str) -> list[str]:
    """Query terms of a search: a letter alone only where it stands alone."""
    return [term for word in words(text) for term in _terms(word, singles=False)]


def _terms(word: str, *, singles: bool) -> Iterator[str]:
    if not joined(word):
        yield word
        return
    for run in _runs(_clusters(word)):
        if not joined(run[0]):
            yield "".join(run)
        elif len(run) == 1:
            yield run[0]
        else:
            yield from run if singles else ()
            yield from (one + other for one, other in pairwise(run))


def _clusters(word: str) -> list[str]:
    """Letters with their marks."""
    found: list[str] = []
    for each in word:
        if found and unicodedata.category(each)[0] == "M":
            found[-1] += each
        else:
            found.append(each)
    return found


def _runs(clusters: Sequence[str]) -> Iterator[list[str]]:
    """Clusters of one kind of script, one after the other."""
    run: list[str] = []
    for each in clusters:
        if run and joined(run[-1]) != joined(each):
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def compact(text: str) -> str:
    """A number of an article without what people put between its parts; of barcodes without leading zeros."""
    whole = "".join(words(text))
    return whole.lstrip("0") if whole.isdecimal() else whole


def code(text: str) -> str | None:
    """Return the normalised article number to search for; None for a text that can be none."""
    if not text.isascii():
        text = fold(text)
    found = compact(text) if sum(each.isdecimal() for each in text) >= FEWEST_DIGITS else ""
    return found if SHORTEST_CODE <= len(found) <= LONGEST_CODE and found.isascii() else None


def prefixes(texts: Sequence[str]) -> list[str]:
    """Beginnings of every word, to be found by equality; the first texts matter most."""
    found = {
        word[:length]: None
        for text in texts
        for word in terms(text)
        for length in range(min(SHORTEST_PREFIX, len(word)), min(len(word), LONGEST_PREFIX) + 1)
    }
    return sorted([*found][:MOST_PREFIXES])


# Spelling: one slip in a word of four letters or more, not in its first letter, and none where there are di


def spelled(word: str) -> bool:
    """True if the word is long enough and of a kind for which one typo is forgiven."""
    return SHORTEST_NEAR <= len(word) <= LONGEST_NEAR and word.isalpha() and not joined(word)


def near_keys(word: str) -> list[str]:
    """Symmetric deletes: two words that differ by a slip share one of these."""
    cut = (word[:at] + word[at + 1 :] for at in range(1, len(word)))
    return list(dict.fromkeys([word, singular(word), *cut]))


def closeness(one: str, other: str) -> int | None:
    """Slips between two words, 0 or 1; None for more. Swapped neighbours are one slip, and so is a plural."""
    if one == other:
        return 0
    if one[0] != other[0]:
        return None
    if singular(one) == singular(other):
        return 1
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return 1 if abs(len(one) - len(other)) == 1 else None
    left, right = one[start:], other[start:]
    slips = (
        left[1:] == right[1:],
        left[1:] == right,
        left == right[1:],
        left[:2] == right[1::-1] and left[2:] == right[2:],
    )
    return 1 if any(slips) else None


def singular(word: str) -> str:
    """English plurals: `berries`, `boxes`, `capsules`."""
    if word.endswith("ies") and len(word) > SHORTEST_NEAR:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
