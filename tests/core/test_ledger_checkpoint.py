"""Signed notes and checkpoints: published vectors, several keys, and whatever a verifier must reject."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import checkpoint, merkle, signed_note, tiles
from core.ledger.checkpoint import Checkpoint
from core.ledger.signed_note import InvalidNote, Signer, Verifier

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of the C2SP tlog-checkpoint specification.
C2SP_NOTE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
ORIGIN = "landfall.example/log/org_acme"


def signer(name: str, seed: int) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


LOG, NEXT_KEY, WITNESS = signer(ORIGIN, 1), signer(ORIGIN, 2), signer("witness.example", 3)
HEAD = Checkpoint(ORIGIN, 3, merkle.root([merkle.leaf_hash(b"%d" % n) for n in range(3)]))
NOTE = checkpoint.sign(HEAD, LOG)


def test_a_note_that_another_program_signed_is_verified() -> None:
    verifier = Verifier.from_vkey(NEUMANN)
    assert (verifier.name, verifier.key_id.hex(), verifier.vkey) == ("PeterNeumann", "c74f20a3", NEUMANN)
    text, signed = signed_note.verify(NEUMANN_NOTE, [verifier])
    assert text == NEUMANN_NOTE.partition("\n\n")[0] + "\n"
    assert signed == [verifier]


def test_the_checkpoint_of_the_specification_is_read_and_written_alike() -> None:
    text, [line] = signed_note.parse(C2SP_NOTE)
    read = checkpoint.parse(text)
    assert read[:2] == ("example.com/behind-the-sofa", 20852163)
    assert read.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert read.text == text
    assert (line.name, line.key_id.hex(), len(line.signature)) == (read.origin, "033de0ae", 64)


def test_a_checkpoint_is_three_lines_under_the_name_of_its_log() -> None:
    encoded = signed_note.encode_base64(HEAD.root)
    assert NOTE.startswith(f"{ORIGIN}\n3\n{encoded}\n\n— {ORIGIN} ")
    assert checkpoint.verify(NOTE, ORIGIN, [LOG.verifier]) == HEAD
    empty = Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT, ("of another log",))
    assert checkpoint.verify(checkpoint.sign(empty, LOG), ORIGIN, [LOG.verifier]) == empty


def test_several_keys_sign_one_note_and_unknown_ones_are_ignored() -> None:
    note = signed_note.cosign(checkpoint.sign(HEAD, LOG, NEXT_KEY), WITNESS)
    keys = [LOG.verifier, NEXT_KEY.verifier, WITNESS.verifier]
    assert signed_note.verify(note, keys) == (HEAD.text, keys)
    for known in ([LOG.verifier], [NEXT_KEY.verifier, WITNESS.verifier]):
        assert checkpoint.verify(note, ORIGIN, known) == HEAD
    with pytest.raises(InvalidNote, match="No known key"):
        checkpoint.verify(note, ORIGIN, [signer(ORIGIN, 4).verifier])
    with pytest.raises(InvalidNote, match="No key of the log"):
        checkpoint.verify(note, ORIGIN, [WITNESS.verifier])


def test_a_wrong_signature_of_one_known_key_is_enough_to_reject_the_note() -> None:
    other = signed_note.sign("Another text.\n", WITNESS).rpartition("\n\n")[2]
    assert checkpoint.verify(NOTE + other, ORIGIN, [LOG.verifier]) == HEAD
    with pytest.raises(InvalidNote, match="of a known key is wrong"):
        checkpoint.verify(NOTE + other, ORIGIN, [LOG.verifier, WITNESS.verifier])


def test_a_checkpoint_of_another_log_is_rejected() -> None:
    other = signer("landfall.example/log/org_other", 1)
    note = checkpoint.sign(HEAD._replace(origin=other.name), other)
    with pytest.raises(InvalidNote, match="of another log"):
        checkpoint.verify(note, ORIGIN, [LOG.verifier, other.verifier])


LINE = NOTE.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        HEAD.text,
        HEAD.text + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("3", "\x00", 1),
        NOTE.replace("3", "\ud800", 1),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("— ", "—\u00a0"),
        NOTE[:-1] + " \n",
        NOTE[:-2] + "\n",
        f"{HEAD.text}\n— a+b AAAAAAAA\n",
        f"{HEAD.text}\n— name AAAAAA==\n",
        f"{HEAD.text}\n— name AAAAAAB=\n",
        f"{HEAD.text}\n— name\n",
        HEAD.text + "\n" + LINE * 65,
        "x" * signed_note.MAX_SIZE + NOTE,
    ],
)
def test_a_malformed_note_is_rejected(note: str) -> None:
    with pytest.raises(InvalidNote):
        checkpoint.verify(note, ORIGIN, [LOG.verifier])


def test_a_note_may_have_as_many_signatures_as_the_specification_asks_for() -> None:
    assert checkpoint.verify(HEAD.text + "\n" + LINE * 64, ORIGIN, [LOG.verifier]) == HEAD


def test_an_empty_line_in_the_text_does_not_end_it() -> None:
    text = "One.\n\nTwo.\n\n"
    assert signed_note.verify(signed_note.sign(text, LOG), [LOG.verifier]) == (text, [LOG.verifier])


ROOT = signed_note.encode_base64(HEAD.root)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n3\n{ROOT}",
        f"\n3\n{ROOT}\n",
        f"{ORIGIN}\n03\n{ROOT}\n",
        f"{ORIGIN}\n-3\n{ROOT}\n",
        f"{ORIGIN}\n+3\n{ROOT}\n",
        f"{ORIGIN}\n3 \n{ROOT}\n",
        f"{ORIGIN}\n٣\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n{10**18}\n{ROOT}\n",
        f"{ORIGIN}\n3\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n3\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n3\n{ROOT} \n",
        f"{ORIGIN}\n3\n{ROOT}\n\n",
        f"{ORIGIN}\n3\n{ROOT}\n\nextension\n",
    ],
)
def test_a_malformed_checkpoint_is_rejected_though_it_is_signed(text: str) -> None:
    with pytest.raises(InvalidNote):
        checkpoint.parse(text)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN.replace("+AR", "+AB"),
        NEUMANN[:-4],
        NEUMANN + "=",
    ],
)
def test_a_malformed_verifier_key_is_rejected(vkey: str) -> None:
    with pytest.raises(InvalidNote):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize(
    "head",
    [
        HEAD._replace(origin=""),
        HEAD._replace(size=-1),
        HEAD._replace(root=b"short"),
        HEAD._replace(extensions=("a\nb",)),
        HEAD._replace(origin="landfall.example/log/org_other"),
    ],
)
def test_a_log_signs_no_checkpoint_that_nobody_could_read(head: Checkpoint) -> None:
    with pytest.raises(ValueError, match=r"."):
        checkpoint.sign(head, LOG)


@given(st.integers(0, len(NOTE) - 1), st.characters(max_codepoint=0x2100))
def test_any_character_of_a_checkpoint_that_is_changed_is_found(place: int, character: str) -> None:
    bent = NOTE[:place] + character + NOTE[place + 1 :]
    if bent != NOTE:
        with pytest.raises(InvalidNote):
            checkpoint.verify(bent, ORIGIN, [LOG.verifier])


@given(st.text() | st.text("—+ \nAQ=3" + ORIGIN))
def test_any_text_is_verified_or_rejected(text: str) -> None:
    """No other error, whatever is sent."""
    for read in (lambda: checkpoint.verify(text, ORIGIN, [LOG.verifier]), lambda: Verifier.from_vkey(text)):
        with pytest.raises(InvalidNote):
            read()


def test_one_checkpoint_continues_another_by_a_proof_and_includes_its_leaves() -> None:
    leaves = [merkle.leaf_hash(b"%d" % n) for n in range(9)]
    stored = tiles.append(0, {}, leaves)
    older, newer = (Checkpoint(ORIGIN, size, merkle.root(leaves[:size])) for size in (5, 9))
    proof = tiles.hashes(tiles.consistency(5, 9), stored)
    assert checkpoint.continues(newer, older, proof)
    forked = newer._replace(root=merkle.root([*leaves[:3], leaves[0], *leaves[4:]]))
    wrong: list[tuple[Checkpoint, Checkpoint, list[Any]]] = [
        (newer, older, proof[:-1]),
        (older, newer, proof),
        (forked, older, proof),
        (newer._replace(size=8), older, proof),
        (newer._replace(origin="another"), older, proof),
    ]
    assert not any(checkpoint.continues(*case) for case in wrong)
    path = tiles.hashes(tiles.inclusion(7, 9), stored)
    assert checkpoint.includes(newer, leaves[7], 7, path)
    assert not checkpoint.includes(newer, leaves[7], 6, path)
    assert not checkpoint.includes(older, leaves[7], 7, path)
