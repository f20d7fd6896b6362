"""The social feed, as clients see it."""

from core.binding import connection, field, mutation, query, subscription
from resolvers import feed
from schema.feed import inputs
from schema.feed.events import PostEvent
from schema.feed.types import Comment, FeedConnection, FeedDelta, Follow, Post
from subscriptions import feed as live

__all__ = ["Comment", "Follow", "Mutation", "Post", "Query", "Subscription", "Viewer"]


class Query:
    post: Post | None = query(feed.post)
    """A post; NOT_FOUND when it does not exist or you may not see it."""


class Viewer:
    feed_delta: FeedDelta = field(feed.feed_delta, newer_token="The `newerToken` of the feed you show.")
    """Pull-to-refresh: what is new, changed or gone since then."""
    feed: FeedConnection = connection(feed.feed, first=12, mode="How it is ordered.")
    """Your home feed."""


class Mutation:
    create_post = mutation(feed.create_post, inputs.CreatePostInput, inputs.CreatePostPayload)
    """Post something."""
    update_post = mutation(feed.update_post, inputs.UpdatePostInput, inputs.UpdatePostPayload)
    """Change a post of yours."""
    delete_post = mutation(feed.delete_post, inputs.DeletePostInput, inputs.DeletePostPayload)
    """Delete a post of yours, with its comments and reactions."""
    create_comment = mutation(feed.create_comment, inputs.CreateCommentInput, inputs.CreateCommentPayload)
    """Comment on a post, or reply to a comment."""
    update_comment = mutation(feed.update_comment, inputs.UpdateCommentInput, inputs.UpdateCommentPayload)
    """Change a comment of yours."""
    delete_comment = mutation(feed.delete_comment, inputs.DeleteCommentInput, inputs.DeleteCommentPayload)
    """Delete a comment of yours, or one on your post."""
    set_reaction = mutation(feed.set_reaction, inputs.SetReactionInput, inputs.SetReactionPayload)
    """Set or take back your reaction; not a toggle, so a replay is harmless."""
    follow_user = mutation(feed.follow_user, inputs.FollowUserInput, inputs.FollowUserPayload)
    """Follow a person, or unmute one you follow."""
    unfollow_user = mutation(feed.unfollow_user, inputs.UnfollowUserInput, inputs.UnfollowUserPayload)
    """Follow a person no longer."""
    mute_user = mutation(feed.mute_user, inputs.MuteUserInput, inputs.MuteUserPayload)
    """Keep a person you follow out of your feed."""
    unmute_user = mutation(feed.unmute_user, inputs.UnmuteUserInput, inputs.UnmuteUserPayload)
    """Let a muted person into your feed again."""
    block_user = mutation(feed.block_user, inputs.BlockUserInput, inputs.BlockUserPayload)
    """Hide a person and yourself from each other everywhere."""
    unblock_user = mutation(feed.unblock_user, inputs.UnblockUserInput, inputs.UnblockUserPayload)
    """Undo a block of yours."""


class Subscription:
    post_events: PostEvent = subscription(
        live.post_events, post_id="The post to watch.", after="Resume after the event with this `eventId`."
    )
    """What happens to a post, for anyone who may see it."""
