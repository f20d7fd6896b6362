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
from resolvers.feed.home import feed
from resolvers.feed.posts import create_post, delete_post, text_preview, truncated, update_post, viewer_can
from resolvers.feed.reactions import set_reaction, summary
from resolvers.feed.reading import (
    comment_preview,
    comment_previews,
    comments,
    comments_of_many,
    followers,
    following,
    post,
    replies,
    replies_of_many,
    timeline,
    visible_parent,
    visible_post_of,
)
from resolvers.feed.refreshing import feed_delta

__all__ = [
    "barred",
    "block_user",
    "comment_preview",
    "comment_previews",
    "comment_scopes",
    "comments",
    "comments_of_many",
    "create_comment",
    "create_post",
    "delete_comment",
    "delete_post",
    "feed",
    "feed_delta",
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
    "replies_of_many",
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
    "visible_comments",
    "visible_parent",
    "visible_post",
    "visible_post_of",
    "visible_posts",
]
