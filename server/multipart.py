"""Multipart subscriptions: Apollo's protocol over HTTP, byte for byte as its router writes it.

Apollo iOS reads the content type word by word (`subscriptionSpec=1.0` and nothing behind it), and takes no
head of a part but `content-type: application/json`. A part is whole for all of its clients once the delimiter
behind it is there, so each is sent with it, and the first delimiter begins the body.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import ClassVar

from strawberry.http.streaming import MultipartSubscriptionTransport

BOUNDARY = "graphql"
DELIMITER = f"--{BOUNDARY}"
ESCAPED = f"-\\u002d{BOUNDARY}"
"""The same inside a JSON string, without looking like it."""
CONTENT_TYPE = f'multipart/mixed;boundary="{BOUNDARY}";subscriptionSpec=1.0'
HEAD = "\r\ncontent-type: application/json\r\n\r\n"
END = "--\r\n"
"""Behind the last delimiter: nothing follows."""

Stream = Callable[[], AsyncGenerator[str, None]]


class Parts(MultipartSubscriptionTransport):
    """Multipart transport: an empty part at the start and after every silence.

    The view writes the first delimiter (`begun`), since one transport serves all streams.
    """

    headers: ClassVar[Mapping[str, str]] = {"Content-Type": CONTENT_TYPE}

    def __init__(self, heartbeat: float) -> None:
        super().__init__(BOUNDARY)
        self.heartbeat_interval = heartbeat

    def accepts(self, accept: str) -> bool:
        """At any place among what a client takes."""
        return any(map(_is_ours, accept.split(",")))

    def encode_multipart_data(self, data: object, encode_json: Callable[[object], str]) -> str:
        # Some versions of Apollo iOS cut wherever they find the delimiter, in a person's text as well.
        body = encode_json(data).replace(DELIMITER, ESCAPED)
        return f"{HEAD}{body}\r\n{DELIMITER}"

    def encode_complete(self) -> str:
        return END


def begun(stream: Stream) -> Stream:
    """The stream with the delimiter that begins its body."""

    async def whole() -> AsyncGenerator[str, None]:
        first = DELIMITER
        async with aclosing(stream()) as parts:
            async for part in parts:
                yield first + part
                first = ""

    return whole


def _is_ours(media_range: str) -> bool:
    name, *parameters = (piece.strip().lower() for piece in media_range.split(";"))
    given = {
        key.strip(): value.strip(" '\"") for key, _, value in (each.partition("=") for each in parameters)
    }
    return (
        name == "multipart/mixed"
        and given.get("boundary", BOUNDARY) == BOUNDARY
        and given.get("subscriptionspec", "").startswith("1.0")
    )
