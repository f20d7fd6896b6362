"""Field keys as the key management service: data keys are wrapped by the deployment's keyring."""

import base64

from core.security.crypto import Keyring


class FieldKeys:
    """Implements `core.ports.Kms`; rotation of the field keys reaches these wraps too."""

    def __init__(self, crypto: Keyring) -> None:
        self._crypto = crypto

    async def wrap(self, key: bytes, *, place: str) -> str:
        return self._crypto.seal(base64.b64encode(key).decode(), place=f"key:{place}")

    async def unwrap(self, wrapped: str, *, place: str) -> bytes:
        return base64.b64decode(self._crypto.open(wrapped, place=f"key:{place}"))
