"""Operations that are measured, and the comparison of two servers' answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.load import MINTED_KEY, MINTED_POST
from devstack.shop import category_id


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    title: str
    query: str
    targets: dict[tuple[str, str], float]
    """The most CPU that one server may take as a share of another's, by their names."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Placeholders of minted values in them are replaced for each request (`bench/load.py`)."""
    servers: frozenset[str] = frozenset()
    """Names of the servers that answer it; all, where that is empty."""

    def asked_of(self, server: str) -> bool:
        return not self.servers or server.partition("@")[0] in self.servers


FEED = Operation(
    "feed",
    "Feed page",
    """
    query FeedPage {
      viewer {
        feed(sort: NEWEST, first: 20) {
          edges {
            cursor
            reason
            node {
              id
              author { id name avatar { thumbnailUrl } }
              text
              createdAt
              visibility
              reactionSummary { total like love viewerReaction }
              commentCount
              media { url width height mimeType }
              comments(first: 2) {
                edges { node { id text createdAt author { id name } } }
                pageInfo { hasNextPage }
              }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
    """,
    {
        ("landfall", "mercurius"): 0.85,
        ("landfall", "apollo"): 0.45,
        ("landfall", "idiomatic"): 0.15,
        ("landfall", "floor"): 1.25,
        ("landfall-pymongo", "mercurius"): 0.70,
        ("landfall-pymongo", "floor-pymongo"): 1.25,
    },
)

VIEWER = Operation(
    "viewer",
    "Tiny viewer",
    "query TinyViewer { viewer { user { id name } } }",
    {
        ("landfall", "mercurius"): 1.0,
        ("landfall", "apollo"): 0.6,
        ("landfall", "floor"): 1.25,
        ("landfall-pymongo", "mercurius"): 0.85,
        ("landfall-pymongo", "floor-pymongo"): 1.25,
    },
)

MESSAGES = Operation(
    "messages",
    "Messages",
    """
    query LatestChat {
      viewer {
        chats(first: 1) {
          edges {
            node {
              id
              unreadCount
              messages(last: 50) {
                edges { node { id text sequence sentAt deliveredAt editedAt sender { id name } } }
                pageInfo { hasPreviousPage }
              }
            }
          }
        }
      }
    }
    """,
    VIEWER.targets,
)

PRODUCTS = Operation(
    "products",
    "20 products of a category",
    """
    query Products {
      searchProducts(filter: { categoryIds: ["CATEGORY"] }, first: 20) {
        edges {
          node {
            id
            name
            brand
            form
            servingsPerContainer
            availability { status remaining }
            priceRange { min { amount currencyCode } max { amount } }
            labelImage { thumbnailUrl }
            ratingSummary { average count }
          }
        }
        pageInfo { hasNextPage }
      }
    }
    """.replace("CATEGORY", category_id(0)),
    VIEWER.targets,
)

TEXT = "Written by the benchmark: a post of ordinary length, as they are on a weekday."

CREATE_POST = Operation(
    "createPost",
    "Create a post",
    """
    mutation CreatePost($input: CreatePostInput!) {
      createPost(input: $input) {
        post { id text visibility commentCount author { id name } reactionSummary { total viewerReaction } }
        errors { code message }
        replayed
      }
    }
    """,
    {("landfall", "mercurius"): 0.75, ("landfall-pymongo", "mercurius"): 0.75},
    {"input": {"idempotencyKey": MINTED_KEY, "id": MINTED_POST, "text": TEXT, "visibility": "PUBLIC"}},
    frozenset({"landfall", "landfall-pymongo", "mercurius", "yoga", "apollo"}),
)

OPERATIONS = (FEED, MESSAGES, VIEWER, PRODUCTS, CREATE_POST)
"""Those that read come first: the last one writes."""


def difference(ours: Any, theirs: Any, path: str = "data") -> str | None:
    """First difference of two answers, order of keys included; None when they are equal."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return f"{path}: keys {list(ours)} and {list(theirs)}"
        pairs = ((f"{path}.{key}", ours[key], theirs[key]) for key in ours)
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{path}: {len(ours)} and {len(theirs)} items"
        both = zip(ours, theirs, strict=True)
        pairs = ((f"{path}[{index}]", one, other) for index, (one, other) in enumerate(both))
    else:
        # JSON has one kind of numbers: JavaScript writes 4.0 as 4.
        alike = type(ours) is type(theirs) or {type(ours), type(theirs)} == {int, float}
        same = alike and ours == theirs
        return None if same else f"{path}: {ours!r} and {theirs!r}"
    return next((found for place, one, other in pairs if (found := difference(one, other, place))), None)
