"""The delta query and its live form, with any selection of nodes."""

NODE = """
  __typename id
  ... on User { version updatedAt firstName followerCount followingCount postCount }
  ... on Account { version updatedAt locale }
  ... on Session { version updatedAt sessionStatus: status }
  ... on Post { version updatedAt text visibility commentCount author { id }
    reactionSummary { count like love wow sad angry viewerReaction } }
  ... on Comment { version updatedAt text replyCount reactions { count like viewerReaction } }
  ... on Follow { version updatedAt followStatus: status user { id } }
"""


def changes_of(selection: str) -> str:
    """The delta query with a selection of its nodes."""
    return f"""
    query Changes($since: SyncToken, $types: [SyncType!], $first: Int) {{
      viewer {{ changes(since: $since, types: $types, limit: $first) {{
        nodes {{ {selection} }} deleted {{ id }} token hasMore reset
      }} }}
    }}
    """


def events_of(selection: str) -> str:
    """The same live."""
    return f"""
    subscription Events($since: SyncToken) {{
      changeEvents(since: $since) {{
        __typename
        ... on NodeChanged {{ eventId token node {{ {selection} }} }}
        ... on NodeDeleted {{ eventId token deleted {{ id }} }}
        ... on ResyncRequired {{ eventId token }}
      }}
    }}
    """


CHANGES, EVENTS = changes_of(NODE), events_of(NODE)
