"""Order keys: always one between two others, short enough to be kept."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.favorite import ranks


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_a_key_is_between_its_neighbors_wherever_it_is_put(places: list[int]) -> None:
    order: list[str] = []
    for wanted in places:
        place = wanted % (len(order) + 1)
        low = order[place - 1] if place else None
        high = order[place] if place < len(order) else None
        made = ranks.between(low, high)
        assert low is None or low < made
        assert high is None or made < high
        assert not made.endswith(ranks.DIGITS[0])
        order.insert(place, made)
    assert order == sorted(order)


def test_ends_of_a_list_take_any_number_of_keys_without_growing() -> None:
    first = last = ranks.between(None, None)
    for _ in range(5_000):
        first, last = ranks.between(None, first), ranks.between(last, None)
    assert (len(first), len(last)) == (6, 6)


def test_beyond_the_last_head_there_is_room_all_the_same() -> None:
    lowest, highest = f"00000{ranks.HALF}", f"zzzzz{ranks.HALF}"
    assert ranks.between(None, lowest) < lowest
    assert ranks.between(highest, None) > highest


def test_a_spread_list_is_in_order_with_room_everywhere() -> None:
    order = ranks.spread(500)
    assert order == sorted(set(order))
    assert all(low < ranks.between(low, high) < high for low, high in pairwise(order))
