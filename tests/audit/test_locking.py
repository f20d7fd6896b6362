"""Store of copies in a bucket: what is put once is not replaced."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from core.settings import Settings
from core.sync.log_offset import Signer
from ports.audit import AuditSettings
from providers.storage import locked_objects

BUCKET = "landfall-audit"


async def test_a_copy_in_a_bucket_is_not_replaced() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", **access).create_bucket(Bucket=BUCKET)
    settings = AuditSettings(
        audit_store=f"s3://{BUCKET}/logs",
        audit_store_endpoint=f"http://{host}:{port}",
        audit_store_access_key_id="key",
        audit_store_secret_access_key="secret",  # type: ignore[arg-type]
    )
    objects = locked_objects(Settings(), settings, Signer("a secret of the test, long enough"))
    await objects.put_once("checkpoints/org/1.txt", b"first", mime="text/plain")
    with pytest.raises(FileExistsError):
        await objects.put_once("checkpoints/org/1.txt", b"second", mime="text/plain")
    assert b"".join([piece async for piece in objects.read("checkpoints/org/1.txt")]) == b"first"
    server.stop()


def test_an_address_that_is_no_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="LANDFALL_AUDIT_STORE"):
        locked_objects(Settings(), AuditSettings(audit_store="https://bucket"), Signer("secret"))
