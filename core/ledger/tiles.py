"""Merkle tree kept as tiles of 256 hashes (C2SP tlog-tiles): appending, roots, and proofs.

A tile of level 0 has 256 leaf hashes, one of level 1 the roots of 256 tiles of level 0, and so on; the nodes
between are computed. Tiles only grow, so those of a larger tree serve every smaller one. Each question comes
in two steps: the tiles that it needs, for the storage to read at once, and the answer that they give.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from core.ledger import merkle
from core.ledger.merkle import HASH_SIZE

HEIGHT = 8
WIDTH = 1 << HEIGHT


class TileId(NamedTuple):
    """Place of a tile: its level, 0 for leaves, and its position in the level."""

    level: int
    position: int


class Node(NamedTuple):
    """Root of a complete subtree: 2^height leaves, from leaf position * 2^height on."""

    height: int
    position: int

    @property
    def tile(self) -> TileId:
        return TileId(self.height // HEIGHT, (self.position << self.height % HEIGHT) // WIDTH)


class Span(NamedTuple):
    """Leaves from start to end, the end excluded, whose Merkle tree hash is a node of some tree."""

    start: int
    end: int

    def nodes(self) -> list[Node]:
        """Complete subtrees that the span is made of, the largest first."""
        found, start = [], self.start
        while start < self.end:
            height = (self.end - start).bit_length() - 1
            found.append(Node(height, start >> height))
            start += 1 << height
        return found


Tiles = Mapping[TileId, bytes]
"""Tiles by their place, each the hashes it has, one after the other."""


def needed(spans: Iterable[Span]) -> set[TileId]:
    """Tiles from which the hashes of these spans are computed."""
    return {node.tile for span in spans for node in span.nodes()}


def hashes(spans: Iterable[Span], tiles: Tiles) -> list[bytes]:
    """Merkle tree hash of each span: the root, or the proof, that was asked for.

    Raises KeyError for a tile that is not given, ValueError for one that is too short.
    """
    return [merkle.fold([_node_hash(node, tiles) for node in span.nodes()]) for span in spans]


def root(size: int) -> list[Span]:
    """Span of the root of a tree of this size."""
    return [Span(0, size)]


def inclusion(index: int, size: int) -> list[Span]:
    """Spans of the inclusion proof of a leaf (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"Leaf {index} is not in a tree of {size}.")
    _, siblings = _descend(index, size, lambda subtree: subtree.end - subtree.start == 1)
    return siblings


def consistency(old_size: int, new_size: int) -> list[Span]:
    """Spans of the proof that a tree continues the one of the old size (RFC 6962, 2.1.2)."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"A tree of {new_size} does not continue one of {old_size}.")
    if old_size in (0, new_size):
        return []
    common, siblings = _descend(old_size - 1, new_size, lambda subtree: subtree.end == old_size)
    # An old tree that is complete is known to who asks: it is the old root.
    return [*([common] if common.start else []), *siblings]


def growing(size: int) -> set[TileId]:
    """Tiles to which the next leaf of a tree of this size is added, where they have hashes already."""
    levels = range((size.bit_length() + HEIGHT - 1) // HEIGHT)
    counts = {level: size >> HEIGHT * level for level in levels}
    return {TileId(level, count // WIDTH) for level, count in counts.items() if count % WIDTH}


def append(size: int, tiles: Tiles, leaves: Sequence[bytes]) -> dict[TileId, bytes]:
    """Tiles that are new or longer after these leaf hashes; takes the growing ones of the present size."""
    changed: dict[TileId, bytes] = {}
    added, level = leaves, 0
    while added:
        count = size >> HEIGHT * level
        first, offset = divmod(count, WIDTH)
        grown = _prefix(tiles, TileId(level, first), offset) + b"".join(added)
        rows = [grown[at : at + WIDTH * HASH_SIZE] for at in range(0, len(grown), WIDTH * HASH_SIZE)]
        changed |= {TileId(level, first + n): tile for n, tile in enumerate(rows)}
        added = [_subtree(tile) for tile in rows if len(tile) == WIDTH * HASH_SIZE]
        level += 1
    return changed


def _descend(leaf: int, size: int, reached: Callable[[Span], bool]) -> tuple[Span, list[Span]]:
    """Subtree that is reached from the root towards a leaf, and its siblings on the way, the lowest first."""
    subtree, siblings = Span(0, size), []
    while not reached(subtree):
        start, end = subtree
        split = start + _largest_power_below(end - start)
        left, right = Span(start, split), Span(split, end)
        subtree, sibling = (left, right) if leaf < split else (right, left)
        siblings.append(sibling)
    return subtree, siblings[::-1]


def _largest_power_below(size: int) -> int:
    """Largest power of two that is smaller than this size of 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def _prefix(tiles: Tiles, tile_id: TileId, count: int) -> bytes:
    """First hashes of a tile, which may have grown since."""
    if not count:
        return b""
    tile = tiles[tile_id]
    if len(tile) < count * HASH_SIZE:
        raise ValueError(f"{tile_id} has fewer than {count} hashes.")
    return tile[: count * HASH_SIZE]


def _node_hash(node: Node, tiles: Tiles) -> bytes:
    count = 1 << node.height % HEIGHT
    offset = node.position * count % WIDTH
    return _subtree(_prefix(tiles, node.tile, offset + count)[offset * HASH_SIZE :])


def _subtree(row: bytes) -> bytes:
    """Root over the hashes of a row, of which there are a power of two."""
    return merkle.root(row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE))
