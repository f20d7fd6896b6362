"""Order keys (fractional indexing): one between any two, so that a move writes a single document.

A key is a head of five digits, one for each place at an end of the list, and a fraction that grows where
things are put between two others. Keys are compared as strings and never end with the lowest digit: so there
is always room below.
"""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE = len(DIGITS)
HEAD = 5
MIDDLE = BASE**HEAD // 2
HALF = DIGITS[BASE // 2]
LONGEST = 64
"""Characters of a key: a list in which one would be longer gets new ones."""


def between(low: str | None, high: str | None) -> str:
    """A key behind one and before another; None stands for an end of the list."""
    if low is None or high is None:
        head = MIDDLE if low is high else _head(high) - 1 if high is not None else _head(str(low)) + 1
        if 0 <= head < BASE**HEAD:
            return _key(head)
    return _midpoint(low or "", high)


def spread(count: int) -> list[str]:
    """So many keys in order, with room before, between and behind them."""
    first = MIDDLE - count // 2
    return [_key(first + place) for place in range(count)]


def _head(key: str) -> int:
    number = 0
    for digit in key[:HEAD].ljust(HEAD, DIGITS[0]):
        number = number * BASE + DIGITS.index(digit)
    return number


def _key(head: int) -> str:
    digits = ""
    for _ in range(HEAD):
        head, digit = divmod(head, BASE)
        digits = DIGITS[digit] + digits
    return digits + HALF


def _midpoint(low: str, high: str | None) -> str:
    """The shortest key between two, which are fractions: digits behind a point."""
    if high is not None:
        same = 0
        while (low[same : same + 1] or DIGITS[0]) == high[same]:
            same += 1
        if same:
            return high[:same] + _midpoint(low[same:], high[same:])
    lowest = DIGITS.index(low[0]) if low else 0
    highest = DIGITS.index(high[0]) if high is not None else BASE
    if highest - lowest > 1:
        return DIGITS[(lowest + highest) // 2]
    if high is not None and len(high) > 1:
        return high[0]
    return DIGITS[lowest] + _midpoint(low[1:], None)
