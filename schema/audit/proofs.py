"""Proofs of the audit log, which anybody checks without trusting the server."""

from datetime import datetime

from core.graphql import batched, derived, key, type_
from resolvers.audit import proving
from schema.audit.types import AuditEntry


@type_
class AuditLogKey:
    """Key that signs the checkpoints of an organization's log, from some size of the log on."""

    verifier_key: str
    """Public key (C2SP vkey): name of the log, key id and Ed25519 key."""
    created_at: datetime
    """Time at which the key was made."""
    from_entry_count: int | None
    """Number of entries of the first checkpoint that the key signed; null until it has signed one."""
    introduction_note: str | None
    """Signed checkpoint that names the key as `successor-key`: the key before it signed it as well, unless
    that key was distrusted. Null for the first key of a log, and until the key has signed a checkpoint."""
    distrusted_at: datetime | None
    """Time at which the service's operator said that the key was stolen; null for all others."""


@type_
class AuditCheckpoint:
    """Signed tree head of an organization's log: whoever keeps one notices if the log is rewritten."""

    entry_count: int = key("size")
    """Number of entries that the log had then."""
    root_hash: str
    """Root of the log's Merkle tree (RFC 6962), 32 bytes in lower-case hex."""
    note: str
    """Signed note (C2SP checkpoint): origin of the log, size, root in base64, and Ed25519 signatures."""
    created_at: datetime
    """Time at which the checkpoint was signed."""
    timestamp_token: str | None = derived(proving.timestamp_token, "timestamp_token")
    """Time-stamp response (RFC 3161) about the note, in DER and base64; null for most, which no authority
    stamped."""
    stamped_at: datetime | None
    """Time at which the authority stamped the note; null when it did not."""
    ledger_reference: str | None
    """Reference to the checkpoint in an external ledger; null when it is in none."""
    verifier_keys: list[str] = batched(proving.verifier_keys, reads=["org_id"])
    """Public keys (C2SP vkey) that ever signed checkpoints of the log, the oldest first, at most 100. Keep
    those that you know: a server that cheats would send its own."""
    log_keys: list[AuditLogKey] = batched(proving.log_keys_of, reads=["org_id"])
    """Keys of the log, the oldest first, at most 100: whoever knows one follows to the next by its
    `introductionNote`. A key that was replaced signs no larger checkpoint."""


@type_
class AuditProof:
    """Inclusion proof (RFC 6962) that an entry is in its organization's log, as of the latest checkpoint."""

    entry: AuditEntry
    """Entry that is in the log."""
    leaf_index: int
    """Index of the entry among all of the log, from 0 on."""
    leaf: str
    """Leaf hash in hex: SHA-256 of a zero byte, `chainId`, line feed, `seq`, line feed and `currentHash`."""
    path: list[str]
    """Hashes in hex with which the leaf makes the root of the checkpoint, from the leaf upward."""
    checkpoint: AuditCheckpoint
    """Latest checkpoint of the log."""


@type_
class AuditConsistencyProof:
    """Consistency proof (RFC 6962) that the log of one size begins as that of another."""

    from_entry_count: int
    """Number of entries of the older log."""
    to_entry_count: int
    """Number of entries of the newer log."""
    path: list[str]
    """Hashes in hex which, with the root of the older log, make the root of the newer one; empty for equal
    sizes and from 0 on."""
