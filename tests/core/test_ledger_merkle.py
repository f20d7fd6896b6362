"""Merkle tree of RFC 6962: golden cases, and proofs that nobody can bend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import merkle

LEAVES = [
    merkle.leaf_hash(bytes.fromhex(leaf))
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (4, 7): ["837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e"],
}


def raw(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in hashes]


def split_root(leaves: list[bytes]) -> bytes:
    """Merkle tree hash as RFC 6962 defines it, by the largest power of two."""
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY_ROOT
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.node_hash(split_root(leaves[:split]), split_root(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_a2_roots(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(60))
def test_a2_odd_nodes_carried_up_are_the_split_of_the_rfc(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    assert merkle.root(leaves) == split_root(leaves)


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_a3_inclusion(index: int, size: int) -> None:
    proof = raw(INCLUSION[index, size])
    assert merkle.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_a4_consistency(old: int, new: int) -> None:
    proof = raw(CONSISTENCY[old, new])
    assert merkle.verify_consistency(old, new, *raw([ROOTS[old], ROOTS[new]]), proof)


def test_trees_of_equal_size_are_consistent_if_they_are_equal_and_all_continue_the_empty_one() -> None:
    some, other = raw(ROOTS[3:5])
    assert merkle.verify_consistency(3, 3, some, some, [])
    assert not merkle.verify_consistency(3, 3, some, other, [])
    assert not merkle.verify_consistency(3, 3, some, some, [some])
    assert merkle.verify_consistency(0, 3, merkle.EMPTY_ROOT, some, [])
    assert merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    assert not merkle.verify_consistency(0, 3, other, some, [])
    assert not merkle.verify_consistency(0, 3, merkle.EMPTY_ROOT, some, [some])
    assert not merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, some, [])
    assert not merkle.verify_consistency(0, 0, some, some, [])
    assert not merkle.verify_consistency(4, 3, other, some, [])
    assert not merkle.verify_consistency(-1, 3, merkle.EMPTY_ROOT, some, [])
    assert not merkle.verify_consistency(2, 4, *raw([ROOTS[2], ROOTS[4]]), [])
    assert not merkle.verify_consistency(3, 4, *raw([ROOTS[3], ROOTS[4]]), [])


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (0, 0), (8, 8)])
def test_an_index_outside_of_the_tree_is_not_in_it(index: int, size: int) -> None:
    assert not merkle.verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


Proof = list[bytes]


@st.composite
def bent(draw: st.DrawFn, proof: Proof) -> Proof:
    """Another proof than this one, by the length of it, of a hash, or by one byte."""
    position = draw(st.integers(0, len(proof)))
    extra = draw(st.sampled_from([*proof, *LEAVES]))
    if position == len(proof) or draw(st.booleans()):
        return [*proof[:position], extra, *proof[position:]]
    node = proof[position]
    byte = draw(st.integers(0, 31))
    flipped = node[:byte] + bytes([node[byte] ^ draw(st.integers(1, 255))]) + node[byte + 1 :]
    instead = draw(st.sampled_from([[], [flipped], [node[:-1]], [node + b"\0"], [b""]]))
    return [*proof[:position], *instead, *proof[position + 1 :]]


@given(st.data(), st.sampled_from(list(INCLUSION)))
def test_a_bent_inclusion_proof_is_rejected(data: st.DataObject, case: tuple[int, int]) -> None:
    index, size = case
    root = bytes.fromhex(ROOTS[size])
    proof = data.draw(bent(raw(INCLUSION[case])))
    assert not merkle.verify_inclusion(LEAVES[index], index, size, proof, root)


@given(st.data(), st.sampled_from(list(CONSISTENCY)))
def test_a_bent_consistency_proof_is_rejected(data: st.DataObject, case: tuple[int, int]) -> None:
    old, new = case
    proof = data.draw(bent(raw(CONSISTENCY[case])))
    assert not merkle.verify_consistency(old, new, *raw([ROOTS[old], ROOTS[new]]), proof)


def test_an_inner_node_does_not_pass_for_a_leaf_by_the_end_of_a_proof() -> None:
    """All hashes fit, but the tree has another height than its size says."""
    proof, root = raw(INCLUSION[0, 8]), bytes.fromhex(ROOTS[8])
    pair = merkle.node_hash(LEAVES[0], proof[0])
    assert merkle.verify_inclusion(pair, 0, 4, proof[1:], root)
    assert not merkle.verify_inclusion(pair, 0, 8, proof[1:], root)
    assert not merkle.verify_inclusion(LEAVES[0], 0, 4, proof, root)
    assert not merkle.verify_consistency(1, 8, pair, root, proof[1:])
    assert not merkle.verify_consistency(1, 4, LEAVES[0], root, proof)
