"""A MongoDB and a Redis that ask for passwords and speak TLS, as those of a deployment do."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from core.storage import privileges
from devstack.mongo import EmbeddedMongo
from devstack.process import ServerProcess, accepts
from devstack.redis import EmbeddedRedis

DATABASE = "landfall"
PASSWORD = "right & safe"
LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Guarded:
    mongo_port: int
    redis_port: int
    certificate: Path

    def mongo(self, password: str | None = PASSWORD, user: str = "landfall", **options: str) -> str:
        """Connection string of a user who may read and write one database; anonymous without a password."""
        who = "" if password is None else f"{user}:{quote(password)}@"
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"mongodb://{who}127.0.0.1:{self.mongo_port}/{DATABASE}?replicaSet=rs0{more}"

    def redis(self, password: str | None = PASSWORD) -> str:
        who = "" if password is None else f":{quote(password)}@"
        return f"redis://{who}127.0.0.1:{self.redis_port}/0"


@contextmanager
def guarded(folder: Path) -> Iterator[Guarded]:
    """Both servers, with a user; that of MongoDB has another, LIMITED, with the role that Landfall needs."""
    certificate = self_signed(folder)
    mongo = EmbeddedMongo(folder / "mongo", ephemeral=True)
    mongo.start()
    with MongoClient(mongo.url) as client:
        client[DATABASE].command(
            "createUser", "landfall", pwd=PASSWORD, roles=[{"role": "readWrite", "db": DATABASE}]
        )
        client[DATABASE].command(privileges.role(DATABASE))
        client[DATABASE].command("createUser", LIMITED, pwd=PASSWORD, roles=[privileges.ROLE])
    mongo.stop()
    key = folder / "key"
    key.write_text("of the set" * 10)
    key.chmod(0o600)
    plain = mongo.processes[0]
    options = ["--keyFile", str(key), "--tlsMode", "preferTLS", "--tlsCertificateKeyFile", str(certificate)]
    options += ["--tlsAllowConnectionsWithoutCertificates"]
    locked = ServerProcess([*plain.command, *options], plain.log)
    redis = EmbeddedRedis(folder / "redis", ephemeral=True)
    shut = ServerProcess([*redis.process.command, "--requirepass", PASSWORD], redis.process.log)
    found = Guarded(mongo.ports[0], redis.port, certificate)
    try:
        locked.start()
        shut.start()
        locked.wait_until(lambda: _has_primary(found))
        shut.wait_until(lambda: accepts(redis.port))
        yield found
    finally:
        locked.kill()
        shut.kill()


def _has_primary(servers: Guarded) -> bool:
    try:
        with MongoClient(servers.mongo(), serverSelectionTimeoutMS=200) as client:
            return bool(client[DATABASE].command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def self_signed(folder: Path) -> Path:
    """Self-signed certificate of this machine, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
