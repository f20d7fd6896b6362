"""Tiles: any tree by any steps, its roots and proofs, and their price in a log of 1,000,000 entries."""

import random
import time
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import merkle, tiles
from core.ledger.tiles import Span, TileId, Tiles

MILLION = 1_000_000
SIZES = st.one_of(st.integers(0, 40), st.integers(250, 520), st.integers(65_530, 65_800))


def leaf(index: int) -> bytes:
    return merkle.leaf_hash(str(index).encode())


@cache
def leaves(size: int) -> list[bytes]:
    return [leaf(index) for index in range(size)]


@cache
def tree(size: int) -> Tiles:
    return tiles.append(0, {}, leaves(size))


class Storage(dict[TileId, bytes]):
    """Tiles of a tree that grows as a writer lets it: by those that it reads, and writes."""

    size = 0

    def append(self, added: Sequence[bytes]) -> None:
        read = {tile_id: self[tile_id] for tile_id in tiles.growing(self.size)}
        self.update(tiles.append(self.size, read, added))
        self.size += len(added)


def answered(spans: list[Span], stored: Tiles) -> list[bytes]:
    """Answer from the tiles that are said to be needed, and no others."""
    return tiles.hashes(spans, {tile_id: stored[tile_id] for tile_id in tiles.needed(spans)})


def root(size: int, stored: Tiles) -> bytes:
    [computed] = answered(tiles.root(size), stored)
    return computed


@given(st.lists(st.integers(0, 600), max_size=6))
def test_a_tree_is_the_same_by_whatever_steps_it_grew(steps: list[int]) -> None:
    storage, size = Storage(), sum(steps)
    for step in steps:
        storage.append(leaves(4000)[storage.size : storage.size + step])
    assert storage == tiles.append(0, {}, leaves(4000)[:size])
    assert root(size, storage) == merkle.root(leaves(4000)[:size])


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537])
def test_a_tree_grows_over_the_edges_of_its_tiles(size: int) -> None:
    storage = Storage()
    for start, end in ((0, size - 1), (size - 1, size), (size, size + 1)):
        storage.append(leaves(65_540)[start:end])
        assert root(storage.size, storage) == merkle.root(leaves(65_540)[:end])
    assert storage == tiles.append(0, {}, leaves(65_540)[: size + 1])


@given(st.data(), SIZES.filter(bool))
def test_every_leaf_is_shown_to_be_in_every_tree_by_the_tiles_of_a_larger_one(
    data: st.DataObject, size: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    stored = tree(65_800)
    proof, top = answered(tiles.inclusion(index, size), stored), root(size, stored)
    assert merkle.verify_inclusion(leaf(index), index, size, proof, top)
    other = data.draw(st.integers(0, size).filter(lambda n: n != index))
    assert not merkle.verify_inclusion(leaf(index), other, size, proof, top)
    assert not merkle.verify_inclusion(leaf(index + 1), index, size, proof, top)
    assert not merkle.verify_inclusion(leaf(index), index, size, proof, leaf(index + 1))


@given(SIZES, SIZES)
def test_every_tree_is_shown_to_continue_every_smaller_one(one: int, other: int) -> None:
    old, new = sorted((one, other))
    stored = tree(65_800)
    proof = answered(tiles.consistency(old, new), stored)
    roots = root(old, stored), root(new, stored)
    assert merkle.verify_consistency(old, new, *roots, proof)
    assert not merkle.verify_consistency(old, new, *roots, [*proof, leaf(1)])
    if old < new:
        assert not merkle.verify_consistency(old, new, roots[1], roots[1], proof)
        assert old == 0 or not merkle.verify_consistency(old, new, roots[0], roots[0], proof)


@given(st.integers(1, 700), st.integers(1, 700), st.data())
def test_a_log_that_forked_or_was_shortened_has_no_consistency_proof(
    one: int, other: int, data: st.DataObject
) -> None:
    """No proof that either log makes shows it, for a log that differs in one leaf of the old tree."""
    old, new = sorted((one, other))
    forked = leaves(700)[:new]
    forked[data.draw(st.integers(0, old - 1))] = merkle.leaf_hash(b"forged")
    stored, fork = tree(700), tiles.append(0, {}, forked)
    roots = root(old, stored), root(new, fork)
    for source in (stored, fork):
        proof = answered(tiles.consistency(old, new), source)
        assert not merkle.verify_consistency(old, new, *roots, proof)
    if old < new:
        assert not merkle.verify_consistency(new, old, root(new, stored), root(old, stored), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_what_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        tiles.inclusion(index, size)


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_there_is_no_proof_that_a_smaller_tree_continues_a_larger_one(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not continue"):
        tiles.consistency(old, new)


def test_a_tile_that_is_gone_or_too_short_is_noticed() -> None:
    stored = tree(300)
    with pytest.raises(KeyError):
        tiles.hashes(tiles.root(300), {tile: row for tile, row in stored.items() if tile.level})
    with pytest.raises(ValueError, match="fewer than 44 hashes"):
        tiles.hashes(tiles.root(300), {**stored, TileId(0, 1): stored[TileId(0, 1)][:-1]})
    with pytest.raises(ValueError, match="fewer than 44 hashes"):
        tiles.append(300, {TileId(0, 1): b"", TileId(1, 0): stored[TileId(1, 0)]}, [leaf(300)])


def test_a_proof_over_1_000_000_leaves_takes_10_tiles_and_5_ms_at_most() -> None:
    # The price does not depend on the hashes: rows of zeros stand for leaves, which would take seconds.
    stored = tiles.append(0, {}, [bytes(32)] * 66_000)
    full, chance = stored[TileId(0, 0)], random.Random(17)
    asked = [
        tiles.inclusion(chance.randrange(size), size) for size in (MILLION - 1, MILLION) for _ in range(50)
    ]
    asked += [tiles.consistency(chance.randrange(1, MILLION), MILLION - 1) for _ in range(100)]
    reads = [tiles.needed(spans) for spans in asked]
    started = time.process_time()
    for spans, read in zip(asked, reads, strict=True):
        tiles.hashes(spans, dict.fromkeys(read, full))
    ms = (time.process_time() - started) * 1000 / len(asked)
    print(f"a proof over 1,000,000 leaves: {max(map(len, reads))} tiles at most, {ms:.2f} ms CPU")
    assert max(map(len, reads)) <= 10
    assert ms < 5
