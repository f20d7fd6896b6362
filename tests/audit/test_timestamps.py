"""Time stamps (RFC 3161), of a local authority by `openssl ts`."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from core.context import Services
from ports.audit import AuditSettings, InvalidTimestamp, Timestamper
from providers.timestamps import Authority, Unstamped, authority
from resolvers.audit import copying
from stores import audit as store
from tests.audit import logs

CONFIG = """
[tsa]
default_tsa = local
[local]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[stamping]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
"""


class LocalAuthority:
    """Time-stamp authority with a root certificate of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.root = folder / "root.pem"
        self.config = folder / "tsa.cnf"
        self.config.write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._openssl("req", "-x509", *self._new("root"), "-out", str(self.root), *self._extensions("root"))
        self._openssl("req", *self._new("tsa"), "-out", f"{folder}/tsa.csr")
        issue = ("x509", "-req", "-in", f"{folder}/tsa.csr", "-CA", str(self.root), "-days", "30")
        key = ("-CAkey", f"{folder}/root.key", "-CAcreateserial", "-extfile", str(self.config))
        self._openssl(*issue, *key, "-extensions", "stamping", "-out", f"{folder}/tsa.pem")

    async def reply(self, request: web.Request) -> web.Response:
        query = self.folder / "query.tsq"
        query.write_bytes(await request.read())
        reply = ("ts", "-reply", "-queryfile", str(query), "-signer", f"{self.folder}/tsa.pem")
        key = ("-inkey", f"{self.folder}/tsa.key", "-config", str(self.config), "-section", "local")
        await asyncio.to_thread(self._openssl, *reply, *key, "-out", f"{self.folder}/reply.tsr")
        return web.Response(
            body=(self.folder / "reply.tsr").read_bytes(), content_type="application/timestamp-reply"
        )

    def _new(self, name: str) -> tuple[str, ...]:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        return (*key, "-keyout", f"{self.folder}/{name}.key", "-subj", f"/CN=Test {name}")

    def _extensions(self, section: str) -> tuple[str, ...]:
        return ("-days", "30", "-extensions", section, "-config", str(self._request_config()))

    def _request_config(self) -> Path:
        file = self.folder / "request.cnf"
        file.write_text("[req]\ndistinguished_name = dn\n[dn]\n" + self.config.read_text())
        return file

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture
def local(tmp_path: Path) -> LocalAuthority:
    return LocalAuthority(tmp_path / "authority")


@pytest.fixture
async def url(local: LocalAuthority) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", local.reply)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(_, port)] = runner.addresses
    yield f"http://127.0.0.1:{port}/"
    await runner.cleanup()


@pytest.fixture
def trusted(local: LocalAuthority, url: str, http: aiohttp.ClientSession) -> Timestamper:
    return authority(AuditSettings(audit_timestamp_url=url, audit_timestamp_roots=local.root), http)


async def test_a_token_says_that_the_text_existed(trusted: Timestamper) -> None:
    token = await trusted.stamp(b"a note")
    assert token is not None
    assert trusted.verify(token, b"a note").year >= 2026
    with pytest.raises(InvalidTimestamp):
        trusted.verify(token, b"another note")
    with pytest.raises(InvalidTimestamp):
        trusted.verify(token[:-1] + bytes([token[-1] ^ 1]), b"a note")
    with pytest.raises(InvalidTimestamp):
        trusted.verify(b"no token", b"a note")


async def test_an_authority_that_is_not_trusted_stamps_nothing(
    tmp_path: Path, url: str, http: aiohttp.ClientSession
) -> None:
    other = LocalAuthority(tmp_path / "other")
    untrusting = authority(AuditSettings(audit_timestamp_url=url, audit_timestamp_roots=other.root), http)
    with pytest.raises(InvalidTimestamp):
        await untrusting.stamp(b"a note")


async def test_an_authority_needs_its_root_certificates(http: aiohttp.ClientSession) -> None:
    with pytest.raises(ValueError, match="root certificates"):
        authority(AuditSettings(audit_timestamp_url="https://tsa.example"), http)
    with pytest.raises(InvalidTimestamp):
        Unstamped().verify(b"", b"")


async def test_the_latest_checkpoint_is_stamped_once(
    services: Services, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    org_id, _ = await logs.sealed_log(services)
    await copying.stamp(services, org_id)
    row = await store.latest_checkpoint(services.db, org_id)
    assert row is not None
    assert row["timestamp_token"] is None
    monkeypatch.setitem(services.extra, Timestamper, trusted)
    await copying.stamp(services, org_id)
    row = await store.latest_checkpoint(services.db, org_id)
    assert row is not None
    assert row["timestamp_token"] is not None
    assert row["stamped_at"] is not None
    assert trusted.verify(row["timestamp_token"], row["note"].encode())
    await copying.stamp(services, org_id)
    again = await store.latest_checkpoint(services.db, org_id)
    assert again == row
