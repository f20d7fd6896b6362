"""Ports of the audit log: storage that locks what it takes, and a time-stamp authority."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Protocol

from pydantic import Field, SecretStr

from core.ports import ObjectStore
from core.settings import SystemSettings


class AuditSettings(SystemSettings):
    """Settings of the audit log."""

    audit_origin: str = Field(
        "landfall",
        pattern=r"^[^\s+]+$",
        description="Name of this deployment in the checkpoints of its audit logs, as `audit.example.com`; "
        "it never changes.",
    )
    audit_store: str = Field(
        "",
        description="`s3://bucket/prefix` for what nobody may change, best of another account and region, "
        "with object lock in compliance mode as the bucket's default; empty: on disk.",
    )
    audit_store_endpoint: str = Field("", description="Address of that S3-compatible store; empty: Amazon's.")
    audit_store_region: str = Field("us-east-1", description="Region of that bucket.")
    audit_store_access_key_id: str = Field(
        "", description="Access key of that store; empty: that of the machine or container."
    )
    audit_store_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret of that access key.")
    audit_bulk_reads: int = Field(
        10_000,
        ge=1,
        description="Entries of an audit log that one person may read in an hour before its administrators "
        "are alerted.",
    )
    audit_denials: int = Field(
        20,
        ge=1,
        description="Denied attempts at an audit log that one person may make in an hour before its "
        "administrators are alerted.",
    )
    audit_working_hours: str = Field(
        "07:00-20:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="Working hours, Monday to Saturday, by the clock of who exports audit entries: at others "
        "administrators are alerted.",
    )
    audit_timestamp_url: str = Field(
        "", description="Time-stamp authority (RFC 3161) that stamps checkpoints every hour; empty: none."
    )
    audit_timestamp_roots: Path | None = Field(
        None, description="PEM file of the root certificates that the authority's chain ends in."
    )

    @property
    def working_hours(self) -> tuple[time, time]:
        begin, _, end = self.audit_working_hours.partition("-")
        return time.fromisoformat(begin), time.fromisoformat(end)


@dataclass(frozen=True, slots=True)
class LockedStorage:
    """Store of copies that nobody may replace."""

    objects: ObjectStore


class InvalidTimestamp(ValueError):
    """A token is not a trusted authority's, or not about this text."""


class Timestamper(Protocol):
    """Time-stamp authority (RFC 3161)."""

    async def stamp(self, data: bytes) -> bytes | None:
        """Token that the data existed by now, verified, in DER; None when there is no authority."""
        ...

    def verify(self, token: bytes, data: bytes) -> datetime:
        """Moment by which the data existed, as a trusted authority says; InvalidTimestamp."""
        ...
