"""Selection of object store, malware scanner and media processor, as the settings say."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from core.ports import ObjectStore
from core.settings import Settings
from core.sync.log_offset import Signer
from ports.audit import AuditSettings
from ports.media import MediaProcessor, MediaSettings, Scanner
from providers.media_processor import LocalMediaProcessor, ffmpeg_found
from providers.objects import DiskObjects, S3Objects
from providers.scanner import ClamAV, Signatures


@dataclass(frozen=True, slots=True)
class Storage:
    objects: ObjectStore
    scanner: Scanner
    processor: MediaProcessor


def storage(settings: Settings, signer: Signer) -> Storage:
    """ValueError names a setting that cannot be right."""
    media = MediaSettings.beside(settings)
    films = media.video == "on" or (media.video == "auto" and ffmpeg_found())
    return Storage(_objects(settings, signer), _scanner(media), LocalMediaProcessor(films=films))


def _objects(settings: Settings, signer: Signer) -> ObjectStore:
    if not settings.media_store:
        return DiskObjects(settings.media_dir, settings.public_url, signer)
    return _bucket(
        "LANDFALL_MEDIA_STORE",
        settings.media_store,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        key_id=settings.s3_access_key_id,
        secret=settings.s3_secret_access_key.get_secret_value(),
    )


def locked_objects(whole: Settings, settings: AuditSettings, signer: Signer) -> ObjectStore:
    """Object store of what is kept for good; ValueError names a setting that cannot be right."""
    if not settings.audit_store:
        return DiskObjects(whole.data_dir / "audit", whole.public_url, signer)
    return _bucket(
        "LANDFALL_AUDIT_STORE",
        settings.audit_store,
        locks=True,
        endpoint=settings.audit_store_endpoint,
        region=settings.audit_store_region,
        key_id=settings.audit_store_access_key_id,
        secret=settings.audit_store_secret_access_key.get_secret_value(),
    )


def _bucket(setting: str, address: str, *, locks: bool = False, **access: str) -> S3Objects:
    place = urlsplit(address)
    if place.scheme != "s3" or not place.netloc:
        raise ValueError(f"{setting} must be s3://bucket or s3://bucket/prefix.")
    return S3Objects(
        place.netloc,
        place.path.strip("/"),
        endpoint=access["endpoint"],
        region=access["region"],
        key_id=access["key_id"],
        secret=access["secret"],
        locks=locks,
    )


def _scanner(settings: MediaSettings) -> Scanner:
    if not settings.clamd:
        return Signatures()
    host, _, port = settings.clamd.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("LANDFALL_CLAMD must be host:port.")
    return ClamAV(host, int(port), settings.clamd_max_bytes)
