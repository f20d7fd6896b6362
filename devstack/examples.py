"""Examples in GraphiQL for newcomers: demo sign-ins and operations to run."""

import asyncio
from typing import Any

from core.storage.mongo import Database
from stores import auth, chat, feed

DEMO_PASSWORD = "landfall-demo-1"
DEMO_USERS = [
    {"email": "ada@example.com", "password": DEMO_PASSWORD, "name": "Ada"},
    {"email": "grace@example.com", "password": DEMO_PASSWORD, "name": "Grace", "role": "administrator"},
    {"email": "alan@example.com", "password": DEMO_PASSWORD, "name": "Alan", "role": "auditor"},
]

FIRST = "{ viewer { feed(first: 5) { edges { node { author { name } textPreview commentCount } } } } }"
"""The operation to paste first."""
POST, CHAT = "post_...", "chat_..."
"""Placeholders in the examples for ids of the demo data."""

FEED = """query Feed($after: String) {
  viewer {
    user { name }
    feed(first: 10, after: $after) {
      edges {
        reason
        node {
          id
          author { name avatar { thumbnailUrl } }
          textPreview
          media { thumbnailUrl width height }
          reactionSummary { count viewerReaction }
          commentCount
          commentPreview { author { name } text }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

CREATE_POST = """mutation CreatePost($input: CreatePostInput!) {
  createPost(input: $input) {
    post { id text visibility createdAt version }
    feedEdge { cursor reason }
    errors { code message field }
    replayed
  }
}
"""

SET_REACTION = """# The id is of a post of Ada's; the feed has others.
mutation SetReaction($input: SetReactionInput!) {
  setReaction(input: $input) {
    subject { ... on Post { id reactionSummary { count like love viewerReaction } } }
    errors { code message }
    replayed
  }
}
"""

POST_EVENTS = """# Run this, then comment on the post in another tab; its id is one of Ada's.
subscription PostEvents($postId: ID!, $after: String) {
  postEvents(postId: $postId, after: $after) {
    __typename
    ... on Event { eventId occurredAt }
    ... on CommentCreated { commentEdge { node { text author { name } } } }
    ... on ReactionsUpdated { subject { ... on Post { reactionSummary { count } } } }
  }
}
"""

CHATS = """# The list of chats, and the end of the latest one.
query Chats {
  viewer {
    unreadMessageCount
    chats(first: 15) {
      edges {
        node { id peer { name avatar { thumbnailUrl } } preview unreadCount lastActivityAt mutedUntil }
      }
    }
    latest: chats(first: 1) {
      edges { node { messages(last: 10) { edges { node { sequence sender { name } text status } } } } }
    }
  }
}
"""

SEND_MESSAGE = """# In one of Ada's chats: sign in as her. Run it twice: it is stored once.
mutation SendMessage($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id text sequence status }
    chat { preview lastSequence }
    errors { code message field }
    replayed
  }
}
"""

CHAT_EVENTS = """# Run this as Ada, then write in the chat from another tab.
subscription ChatEvents($chatId: ID!, $after: String) {
  chatEvents(chatId: $chatId, after: $after) {
    __typename
    ... on Event { eventId occurredAt }
    ... on MessageCreated { messageEdge { node { sequence text sender { name } } } }
    ... on ChatUpdated { chat { peerDeliveredSequence peerReadSequence } }
    ... on ChatTypingChanged { user { name } typing }
  }
}
"""

CHANGES = """# Everything your phone should have; send the token back as `since` to get only what changed.
query Changes($since: SyncToken) {
  viewer {
    changes(since: $since, limit: 50) {
      nodes { __typename id ... on Post { text version } }
      deleted { id typename }
      token
      hasMore
      reset
    }
  }
}
"""

PRODUCTS = """# Change the words, add filters, ask for the next page with `after`.
query Products($filter: ProductFilterInput, $after: String) {
  searchProducts(filter: $filter, first: 10, after: $after) {
    totalCount
    edges {
      match { reason confidence }
      node {
        id name brand form servingsPerContainer
        priceRange { min { amount currencyCode } }
        availability { status remaining }
        ratingSummary { average count }
        labelImage { url(width: 320) altText }
      }
    }
    facets { brands { value count } forms { form count } prices { min below count } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

FAVORITES = """# The wishlist in its order; `addFavorite` puts a product on top.
query Favorites {
  viewer {
    favoriteList(kind: PRODUCT) {
      favoriteCount
      favorites(first: 20) {
        edges {
          position
          node {
            id note
            priceWhenSaved { amount currencyCode }
            target { ... on Product { name brand priceRange { min { amount currencyCode } } } }
          }
        }
      }
    }
    favoriteLists(first: 10) { edges { node { listName favoriteCount } } }
    favoriteSuggestions(limit: 3) { reason target { ... on Product { name } } }
  }
}
"""

SAFETY = """{
  viewer {
    account {
      emailVerified
      twoFactor { enabled method maskedDestination remainingBackupCodeCount }
      sessions(first: 5) { totalCount edges { node { device { name platform } current factors lastSeenAt } } }
      securityEvents(first: 5) { edges { node { kind createdAt device { name } ipMasked } } }
    }
  }
}
"""

ENABLE_TWO_FACTOR = """# The code is on /dev/outbox; verifyOtp finishes it and gives backup codes.
mutation EnableTwoFactor($input: EnableTwoFactorInput!) {
  enableTwoFactor(input: $input) {
    authFlow { id otpMethod maskedDestination expiresAt resendAllowedAt remainingAttemptCount }
    errors { code message field }
  }
}
"""

AUDIT_LOG = """# As Alan, who audits the organization; Ada sees what is hers. Reads are entries too.
query AuditLog($filter: AuditEntryFilterInput) {
  auditEntries(first: 20, filter: $filter) {
    edges {
      node { id createdAt eventKind action outcome actorName details sensitiveDetails status integrity }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

EVIDENCE = """# As Ada, who collected it, or Alan, to whom she handed it over.
query Evidence {
  evidence(first: 5) {
    edges {
      node {
        id kind description status cryptographicHash lastVerifiedAt
        chainOfCustody { recordedAt action handedOffById receivedById location auditEntry { chainId seq } }
      }
    }
  }
}
"""

OPERATIONS = [
    {"name": "Feed", "query": FEED, "variables": "{}"},
    {
        "name": "CreatePost",
        "query": CREATE_POST,
        "variables": '{\n  "input": {\n    "idempotencyKey": "first-post",\n'
        '    "text": "Hello from GraphiQL",\n    "visibility": "PUBLIC"\n  }\n}',
    },
    {
        "name": "SetReaction",
        "query": SET_REACTION,
        "variables": '{\n  "input": {\n    "idempotencyKey": "first-like",\n'
        '    "subjectId": "post_...",\n    "kind": "LOVE"\n  }\n}',
    },
    {"name": "PostEvents", "query": POST_EVENTS, "variables": '{\n  "postId": "post_..."\n}'},
    {"name": "Chats", "query": CHATS, "variables": "{}"},
    {
        "name": "SendMessage",
        "query": SEND_MESSAGE,
        "variables": '{\n  "input": {\n    "idempotencyKey": "first-message",\n'
        '    "chatId": "chat_...",\n    "text": "Hello from GraphiQL"\n  }\n}',
    },
    {"name": "ChatEvents", "query": CHAT_EVENTS, "variables": '{\n  "chatId": "chat_..."\n}'},
    {"name": "Changes", "query": CHANGES, "variables": "{}"},
    {
        "name": "Products",
        "query": PRODUCTS,
        "variables": '{\n  "filter": {"query": "magnesium gly", "inStock": true}\n}',
    },
    {"name": "Favorites", "query": FAVORITES, "variables": "{}"},
    {"name": "Safety", "query": SAFETY, "variables": "{}"},
    {
        "name": "EnableTwoFactor",
        "query": ENABLE_TWO_FACTOR,
        "variables": '{\n  "input": {\n    "idempotencyKey": "second-factor",\n    "method": "EMAIL"\n  }\n}',
    },
    {
        "name": "AuditLog",
        "query": AUDIT_LOG,
        "variables": '{\n  "filter": {"from": "2026-01-01T00:00:00Z"}\n}',
    },
    {"name": "Evidence", "query": EVIDENCE, "variables": "{}"},
]


async def demo_users(db: Database) -> list[dict[str, str]]:
    """Those who are there: none without demo data."""
    known = await asyncio.gather(*(_user_id(db, each["email"]) for each in DEMO_USERS))
    return [user for user, id in zip(DEMO_USERS, known, strict=True) if id is not None]


async def operations(db: Database) -> list[dict[str, Any]]:
    """The examples with ids of the first demo user's things, so that each runs as it stands."""
    ada = await _user_id(db, DEMO_USERS[0]["email"])
    if ada is None:
        return OPERATIONS
    posts, chats = await asyncio.gather(
        feed.posts.find(db, {"author_id": ada, "visibility": "PUBLIC"}, sort=[("created_at", -1)], limit=1),
        chat.members.find(
            db,
            {"user_id": ada, "started": True, "archived": False},
            sort=[("last_activity_at", -1), ("chat_id", -1)],
            limit=1,
        ),
    )
    real = {POST: posts[0]["_id"] if posts else POST, CHAT: chats[0]["chat_id"] if chats else CHAT}
    return [{**each, "variables": _filled(each["variables"], real)} for each in OPERATIONS]


def _filled(variables: str, real: dict[str, str]) -> str:
    for placeholder, id in real.items():
        variables = variables.replace(placeholder, id)
    return variables


async def _user_id(db: Database, email: str) -> str | None:
    key = await auth.user_keys.by_id(db, auth.email_key(email))
    return key["user_id"] if key else None
