"""Steps of the tests of evidence: who handles it, and files on their way into it."""

from typing import Any

from core.context import Services
from stores.audit.roles import EVIDENCE_CUSTODIAN
from tests.conftest import NewPhone
from tests.media import steps as media
from tests.phone import Phone, granted

EVIDENCE = """id version organizationId incidentId kind description collectorId custodianId evidenceFileName
  sizeBytes cryptographicHash status rejection lastVerifiedAt archivedAt uploadId
  chainOfCustody { handedOffById receivedById action location notes auditEntryId }"""
READ = f"query($id: ID!) {{ evidenceItem(id: $id) {{ {EVIDENCE} }} }}"
LIST = (
    """query($filter: EvidenceFilterInput) { evidence(filter: $filter) { edges { cursor node { id } } } }"""
)
LOG = b"2026-03-08 07:30:00 login failed\0\x01\x02"
DISK_IMAGE = "application/x-raw-disk-image"


async def custodian(new_phone: NewPhone, services: Services, org: str, name: str = "Ada") -> Phone:
    phone = await new_phone(name, org=org)
    await granted(services, phone, EVIDENCE_CUSTODIAN, scope_id=org)
    return phone


async def sent(phone: Phone, services: Services, body: bytes = LOG, **fields: Any) -> str:
    """Id of an upload for evidence that has come to its end."""
    upload = await media.uploaded(phone, services, body, DISK_IMAGE, purpose="EVIDENCE", **fields)
    id: str = upload["id"]
    return id


async def collect(phone: Phone, upload_id: str, body: bytes = LOG, **fields: Any) -> dict[str, Any]:
    """The payload of `collectEvidence`."""
    given = {"kind": "LOG_FILE", "description": "Log of the gateway", "sha256": media.sha256(body), **fields}
    selection = f"evidence {{ {EVIDENCE} }} evidenceEdge {{ cursor }}"
    done: dict[str, Any] = await phone.do("collectEvidence", selection, uploadId=upload_id, **given)
    return done


async def read(phone: Phone, id: str) -> Any:
    return (await phone.run(READ, id=id))["evidenceItem"]


async def sealed(phone: Phone, services: Services, body: bytes = LOG, **fields: Any) -> dict[str, Any]:
    """Evidence whose file was locked away."""
    done = await collect(phone, await sent(phone, services, body), body, **fields)
    assert done["errors"] == []
    await media.jobs.run_due(services)
    found: dict[str, Any] = await read(phone, done["evidence"]["id"])
    assert found["status"] == "SEALED"
    return found


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(each["code"], each["field"]) for each in payload["errors"]]
