"""Signatures of single entries: of decisions, evidence, and access in emergencies."""

from collections.abc import Collection, Iterable, Mapping

from cryptography.exceptions import InvalidSignature

from core.context import Services
from core.ledger.signed_note import Verifier, decode_base64
from resolvers.audit import log_keys
from resolvers.audit.sequencing import is_signed_singly
from stores.audit import AuditEntry, AuditLink


async def unsigned(
    services: Services, links: Iterable[AuditLink], entries: Mapping[str, AuditEntry]
) -> set[str]:
    """Ids of links whose entries are signed singly, and that have no signature by a key of the log."""
    signed = [
        link
        for link in links
        if (entry := entries.get(link["entry_id"])) is not None and is_signed_singly(entry)
    ]
    keys = {
        org_id: await log_keys.verifiers(services, org_id) for org_id in {link["org_id"] for link in signed}
    }
    return {link["_id"] for link in signed if not _is_signed(link, keys[link["org_id"]])}


def _is_signed(link: AuditLink, keys: Collection[Verifier]) -> bool:
    for key in keys:
        if key.key_id.hex() == link["signature_key_id"]:
            try:
                signature = decode_base64(link["signature"] or "")
                key.public_key.verify(signature, link["current_hash"].encode())
            except (InvalidSignature, ValueError):
                continue
            return True
    return False
