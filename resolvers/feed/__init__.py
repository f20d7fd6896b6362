"""The social feed: posts, comments, reactions and who follows whom."""

from resolvers.feed.access import (
    barred,
    comment_scopes,
    post_scope,
    visible_comments,
    visible_post,
    visible_posts,
)
from resolvers.feed.comments import create_comment, delete_comment, update_comment
from resolvers.feed.graph import (
    block_user,
    follow_state,
    follow_user,
    follows_viewer,
    is_friend,
    mute_user,
    unblock_user,
    unfollow_user,
    unmute_user,
)
from resolvers.feed.posts import create_post, delete_post, text_preview, truncated, update_post, viewer_can
from resolvers.feed.reactions import set_reaction, summary, viewer_reaction
from resolvers.feed.reading import (
    comment_preview,
    comments,
    feed,
    followers,
    following,
    post,
    replies,
    timeline,
    visible_post_of,
)

__all__ = [
    "barred",
    "block_user",
    "comment_preview",
    "comment_scopes",
    "comments",
    "create_comment",
    "create_post",
    "delete_comment",
    "delete_post",
    "feed",
    "follow_state",
    "follow_user",
    "followers",
    "following",
    "follows_viewer",
    "is_friend",
    "mute_user",
    "post",
    "post_scope",
    "replies",
    "set_reaction",
    "summary",
    "text_preview",
    "timeline",
    "truncated",
    "unblock_user",
    "unfollow_user",
    "unmute_user",
    "update_comment",
    "update_post",
    "viewer_can",
    "viewer_reaction",
    "visible_comments",
    "visible_post",
    "visible_post_of",
    "visible_posts",
]
