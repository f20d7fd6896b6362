"""What GraphiQL offers a newcomer: demo sign-ins and operations to run."""

DEMO_PASSWORD = "landfall-demo-1"
DEMO_USERS = [
    {"email": "ada@example.com", "password": DEMO_PASSWORD, "name": "Ada"},
    {"email": "grace@example.com", "password": DEMO_PASSWORD, "name": "Grace"},
    {"email": "alan@example.com", "password": DEMO_PASSWORD, "name": "Alan"},
]

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
          reactionSummary { total viewerReaction }
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

SET_REACTION = """# Paste the id of a post from the feed.
mutation SetReaction($input: SetReactionInput!) {
  setReaction(input: $input) {
    reactionSummary { total like love viewerReaction }
    errors { code message }
    replayed
  }
}
"""

POST_EVENTS = """# Paste the id of a post, run this, then comment on it in another tab.
subscription PostEvents($postId: ID!, $after: String) {
  postEvents(postId: $postId, after: $after) {
    __typename
    ... on Event { eventId at }
    ... on CommentCreated { comment { text author { name } } }
    ... on ReactionsUpdated { summary { total } }
  }
}
"""

CHATS = """# The list of chats, and the end of the latest one.
query Chats {
  viewer {
    unreadTotal
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

SEND_MESSAGE = """# Paste the id of a chat. Run it twice: it is stored once.
mutation SendMessage($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id text sequence status }
    chat { preview lastSequence }
    errors { code message field }
    replayed
  }
}
"""

CHAT_EVENTS = """# Paste the id of a chat, run this, then write in it from another tab.
subscription ChatEvents($chatId: ID!, $after: String) {
  chatEvents(chatId: $chatId, after: $after) {
    __typename
    ... on Event { eventId at }
    ... on MessageCreated { message { sequence text sender { name } } }
    ... on ReceiptUpdated { userId deliveredSequence readSequence }
    ... on TypingChanged { userId isTyping }
  }
}
"""

CHANGES = """# Everything your phone should have; send the token back as `since` to get only what changed.
query Changes($since: SyncToken) {
  viewer {
    changes(since: $since, first: 50) {
      nodes { __typename id ... on Post { text version } }
      deletedIds
      token
      hasMore
      reset
    }
  }
}
"""

PRODUCTS = """# Change the words, add filters, ask for the next page with `after`.
query Products($query: String, $filter: ProductFilterInput, $after: String) {
  searchProducts(query: $query, filter: $filter, first: 10, after: $after) {
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

SAFETY = """{
  viewer {
    user { emailVerified twoFactor { enabled method maskedDestination backupCodesLeft } }
    sessions(first: 5) { totalCount edges { node { device { name platform } current factors lastSeenAt } } }
    securityEvents(first: 5) { edges { node { kind at device { name } ipMasked } } }
  }
}
"""

ENABLE_TWO_FACTOR = """# The code is on /dev/outbox; verifyOtp finishes it and gives backup codes.
mutation EnableTwoFactor($input: EnableTwoFactorInput!) {
  enableTwoFactor(input: $input) {
    flow { id method maskedDestination expiresAt resendAllowedAt attemptsLeft }
    errors { code message field }
  }
}
"""

OPERATIONS = [
    {"name": "Feed", "query": FEED, "variables": "{}"},
    {
        "name": "CreatePost",
        "query": CREATE_POST,
        "variables": '{\n  "input": {\n    "clientMutationId": "first-post",\n'
        '    "text": "Hello from GraphiQL",\n    "visibility": "PUBLIC"\n  }\n}',
    },
    {
        "name": "SetReaction",
        "query": SET_REACTION,
        "variables": '{\n  "input": {\n    "clientMutationId": "first-like",\n'
        '    "subjectId": "post_...",\n    "kind": "LOVE"\n  }\n}',
    },
    {"name": "PostEvents", "query": POST_EVENTS, "variables": '{\n  "postId": "post_..."\n}'},
    {"name": "Chats", "query": CHATS, "variables": "{}"},
    {
        "name": "SendMessage",
        "query": SEND_MESSAGE,
        "variables": '{\n  "input": {\n    "clientMutationId": "first-message",\n'
        '    "chatId": "chat_...",\n    "text": "Hello from GraphiQL"\n  }\n}',
    },
    {"name": "ChatEvents", "query": CHAT_EVENTS, "variables": '{\n  "chatId": "chat_..."\n}'},
    {"name": "Changes", "query": CHANGES, "variables": "{}"},
    {
        "name": "Products",
        "query": PRODUCTS,
        "variables": '{\n  "query": "magnesium gly",\n  "filter": {"inStock": true}\n}',
    },
    {"name": "Safety", "query": SAFETY, "variables": "{}"},
    {
        "name": "EnableTwoFactor",
        "query": ENABLE_TWO_FACTOR,
        "variables": '{\n  "input": {\n    "clientMutationId": "second-factor",\n'
        '    "method": "EMAIL"\n  }\n}',
    },
]
