"""The ledger: canonical JSON, hash chain, Merkle tree, checkpoints."""

from tests.mutation.fault import Fault

CANONICAL = ("tests/core/test_ledger_canonical.py",)
CHAIN = ("tests/core/test_ledger_chain.py",)
MERKLE = ("tests/core/test_ledger_merkle.py",)
TILES = ("tests/core/test_ledger_tiles.py",)
LOG = ("tests/core/test_ledger_log.py",)
CHECKPOINT = ("tests/core/test_ledger_checkpoint.py",)

FAULTS = [
    Fault(
        "a number that JavaScript rounds is hashed as a number",
        "core/ledger/canonical.py",
        "return value if abs(value) <= SAFE_INTEGER else str(value)",
        "return value",
        CANONICAL,
    ),
    Fault(
        "half a surrogate pair in a key is kept",
        "core/ledger/canonical.py",
        "{_key(key): normalize",
        "{str(key): normalize",
        CANONICAL,
    ),
    Fault(
        "a number may be put back in the place of its text",
        "core/ledger/canonical.py",
        "if _has_float(value):",
        "if False:",
        (*CANONICAL, *CHAIN),
    ),
    Fault(
        "a field that nobody declared is not hashed",
        "core/ledger/canonical.py",
        "if unknown := record.keys() - set(fields):",
        "if unknown := set[str]():",
        (*CANONICAL, *CHAIN),
    ),
    Fault(
        "the newest entries of a chain may be removed",
        "core/ledger/chain.py",
        "if head and after.seq < head.seq:",
        "if False and head:",
        CHAIN,
    ),
    Fault(
        "a chain may be rewritten before its head",
        "core/ledger/chain.py",
        "if head and after.seq == head.seq and after != head:",
        "if False and head:",
        CHAIN,
    ),
    Fault(
        "an entry with a right hash may be put in another's place",
        "core/ledger/chain.py",
        'if entry.record.get("previousHash") != after.current_hash:',
        "if False:",
        CHAIN,
    ),
    Fault(
        "an entry may be moved to another chain",
        "core/ledger/chain.py",
        'entry.record.get("chainId") != chain_id or not',
        "not",
        CHAIN,
    ),
    Fault(
        "an entry may be dropped from the middle of a chain",
        "core/ledger/chain.py",
        "    if entry.seq > expected:\n        return BrokenLink(expected, Problem.MISSING)\n",
        "",
        CHAIN,
    ),
    Fault(
        "an inclusion proof may be cut short",
        "core/ledger/merkle.py",
        "    return last == 0 and computed == root",
        "    return computed == root",
        MERKLE,
    ),
    Fault(
        "a node may pass for a leaf",
        "core/ledger/merkle.py",
        'sha256(b"\\x00" + data)',
        "sha256(data)",
        MERKLE,
    ),
    Fault(
        "a consistency proof may be cut short",
        "core/ledger/merkle.py",
        "return last == 0 and (old, new) ==",
        "return (old, new) ==",
        MERKLE,
    ),
    Fault(
        "a log that forked in its old part continues it",
        "core/ledger/merkle.py",
        "(old, new) == (old_root, new_root)",
        "new == new_root",
        (*MERKLE, *TILES),
    ),
    Fault(
        "every log continues one that was empty, whatever that one's root",
        "core/ledger/merkle.py",
        "return not proof and old_root == EMPTY_ROOT and",
        "return not proof and",
        MERKLE,
    ),
    Fault(
        "a tile that was cut short is read as it is",
        "core/ledger/tiles.py",
        "if len(tile) < count * HASH_SIZE:",
        "if not tile:",
        TILES,
    ),
    Fault(
        "a tile that grew since is added to at its present end",
        "core/ledger/tiles.py",
        "return tile[: count * HASH_SIZE]",
        "return tile",
        TILES,
    ),
    Fault(
        "a leaf has the raw hash",
        "core/ledger/log.py",
        '{self.seq}\\n{self.current_hash}".encode()',
        '{self.seq}\\n".encode() + bytes.fromhex(self.current_hash)',
        LOG,
    ),
    Fault(
        "a shortened log agrees with its checkpoint",
        "core/ledger/log.py",
        "return len(hashed) == size and merkle.root(hashed) == root",
        "return len(hashed) < size or merkle.root(hashed) == root",
        LOG,
    ),
    Fault(
        "one right signature hides a wrong one",
        "core/ledger/signed_note.py",
        "if not all(verifier.verifies",
        "if not any(verifier.verifies",
        CHECKPOINT,
    ),
    Fault(
        "two texts of base64 stand for one signature",
        "core/ledger/signed_note.py",
        "if encode_base64(data) != text:",
        "if False:",
        CHECKPOINT,
    ),
    Fault(
        "a verifier key is taken under another's id",
        "core/ledger/signed_note.py",
        "if verifier.key_id.hex() != key_id:",
        "if False:",
        CHECKPOINT,
    ),
    Fault(
        "a witness alone vouches for a log",
        "core/ledger/checkpoint.py",
        "if origin not in {verifier.name for verifier in signed}:",
        "if not signed:",
        CHECKPOINT,
    ),
    Fault(
        "another organization's checkpoint passes for one's own",
        "core/ledger/checkpoint.py",
        "if checkpoint.origin != origin:",
        "if False:",
        CHECKPOINT,
    ),
    Fault(
        "a checkpoint continues one of another log",
        "core/ledger/checkpoint.py",
        "return new.origin == old.origin and ",
        "return ",
        CHECKPOINT,
    ),
]
