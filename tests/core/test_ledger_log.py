"""Log of all chains: its golden root, and the tampering that only a checkpoint finds."""

from collections.abc import Callable

import pytest

from core.ledger import chain, checkpoint, log, merkle, tiles
from core.ledger.chain import Entry, Head
from core.ledger.checkpoint import Checkpoint
from core.ledger.log import Leaf

GOLDEN = [
    Leaf(
        "incident:incident_01h455vb4pex5vsknk084sn02q",
        2,
        "29dc8105103c92f819403cc8732893dde7ce99cac76a52bbc125b544f27ecacd",
    ),
    Leaf("org:acme:0", 5, "6b55049e49a9fb1a3591dae1576923dab8c700e4d2c29ae4f3fe9e312df494c1"),
    Leaf("org:acme:11", 0, "c8ced90780afdd3a0ffc63e3002d2ec961dd13937dd577f824aed2809d51e459"),
]
HASHES = [
    "7fb70fe0caeeced199cad04967ed2264f8b8d86229e7ef2a8d7c451ce307e522",
    "11a17582e010d5b3241e33c58ed2b04e3993d084a38ce0e84f5b26fe0061a93a",
    "f4404d6f266e12773819fe5d6c3e5ed4b6a474c5fe2e5d07c24f21bab28bf636",
]
ROOT = "2b752b0efb818d3e98806b0b67aa315de5f4eccbe1af845576ddd27984da4532"
FIELDS = ("chainId", "seq", "previousHash", "action")

Chains = dict[str, list[Entry]]


def test_a6_the_root_over_three_entries() -> None:
    assert GOLDEN[1].data == b"org:acme:0\n5\n" + GOLDEN[1].current_hash.encode()
    assert [leaf.hash.hex() for leaf in GOLDEN] == HASHES
    assert merkle.root(leaf.hash for leaf in GOLDEN).hex() == ROOT
    assert log.verify(GOLDEN, 3, bytes.fromhex(ROOT))


def test_a6_the_raw_hash_in_place_of_its_text_gives_another_root() -> None:
    raw = [
        merkle.leaf_hash(f"{leaf.chain_id}\n{leaf.seq}\n".encode() + bytes.fromhex(leaf.current_hash))
        for leaf in GOLDEN
    ]
    assert merkle.root(raw).hex() == "09e59406386228903ac981fdcbe2ecdcbf80f1e084b857c7e552f5188d7ac85d"


def test_a_chain_whose_id_could_be_read_as_a_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="no line feed"):
        _ = Leaf("org:acme\n5", 0, GOLDEN[0].current_hash).hash


def written() -> tuple[Chains, list[Leaf], Checkpoint]:
    """Three chains of four entries each, the log of all by turns, and its sealed head."""
    chains: Chains = {}
    for name in ("org:acme:0", "org:acme:1", "incident:X"):
        head = chain.EMPTY
        for n in range(4):
            entry, head = chain.append(head, name, {"action": f"act.{n}"}, FIELDS)
            chains.setdefault(name, []).append(entry)
    leaves = [Leaf(name, n, chains[name][n].current_hash) for n in range(4) for name in chains]
    sealed = Checkpoint(
        "landfall.example/log/org_acme", len(leaves), merkle.root(leaf.hash for leaf in leaves)
    )
    return chains, leaves, sealed


def lacking(chains: Chains, leaves: list[Leaf]) -> Leaf | None:
    hashes = {(name, entry.seq): entry.current_hash for name, entries in chains.items() for entry in entries}
    return log.missing(leaves, hashes)


def whole(chains: Chains) -> bool:
    """True if each chain, looked at by itself, is."""
    return not any(chain.verify(name, entries, FIELDS) for name, entries in chains.items())


def removed_newest(chains: Chains) -> None:
    del chains["org:acme:1"][2:]


def dropped_chain(chains: Chains) -> None:
    del chains["incident:X"]


def rewritten_chain(chains: Chains) -> None:
    head = chain.EMPTY
    for n in range(4):
        entry, head = chain.append(head, "incident:X", {"action": f"forged.{n}"}, FIELDS)
        chains["incident:X"][n] = entry


def rewritten_end(chains: Chains) -> None:
    before = chains["org:acme:1"][1]
    for n in (2, 3):
        head = Head(before.seq, before.current_hash)
        before, _ = chain.append(head, "org:acme:1", {"action": "forged"}, FIELDS)
        chains["org:acme:1"][n] = before


@pytest.mark.parametrize(
    ("tamper", "first"),
    [
        (removed_newest, ("org:acme:1", 2)),
        (dropped_chain, ("incident:X", 0)),
        (rewritten_chain, ("incident:X", 0)),
        (rewritten_end, ("org:acme:1", 2)),
    ],
)
def test_a7_what_a_chain_cannot_tell_is_found_by_the_leaves_and_these_by_the_checkpoint(
    tamper: Callable[[Chains], None], first: tuple[str, int]
) -> None:
    chains, leaves, sealed = written()
    assert lacking(chains, leaves) is None
    assert log.verify(leaves, sealed.size, sealed.root)
    tamper(chains)
    assert whole(chains)
    leaf = lacking(chains, leaves)
    assert leaf is not None
    assert (leaf.chain_id, leaf.seq) == first
    forged = [
        Leaf(leaf.chain_id, leaf.seq, chains[leaf.chain_id][leaf.seq].current_hash)
        for leaf in leaves
        if leaf.seq < len(chains.get(leaf.chain_id, []))
    ]
    assert lacking(chains, forged) is None
    assert not log.verify(forged, sealed.size, sealed.root)


def test_a_log_that_has_grown_since_is_verified_up_to_the_checkpoint() -> None:
    _, leaves, sealed = written()
    assert log.verify([*leaves, GOLDEN[0]], sealed.size, sealed.root)
    assert not log.verify([GOLDEN[0], *leaves], sealed.size, sealed.root)
    assert not log.verify(leaves[:-1], sealed.size, sealed.root)
    assert not log.verify([leaves[1], leaves[0], *leaves[2:]], sealed.size, sealed.root)


def test_a_log_forked_or_shortened_has_no_consistency_proof_between_two_checkpoints() -> None:
    _, leaves, sealed = written()

    def head(of: list[Leaf]) -> Checkpoint:
        return sealed._replace(size=len(of), root=merkle.root(leaf.hash for leaf in of))

    def continued(of: list[Leaf]) -> bool:
        if len(of) < sealed.size:
            return checkpoint.continues(head(of), sealed, [])
        stored = tiles.append(0, {}, [leaf.hash for leaf in of])
        return checkpoint.continues(
            head(of), sealed, tiles.hashes(tiles.consistency(sealed.size, len(of)), stored)
        )

    assert continued(leaves)
    assert continued([*leaves, *GOLDEN])
    assert not continued([GOLDEN[0], *leaves[1:], *GOLDEN])
    assert not continued(leaves[:-1])
    assert not continued([*leaves[:-1], *GOLDEN])
