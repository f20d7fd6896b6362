"""The social feed, as clients see it."""

from core.binding import connection, field, mutation, query, subscription
from resolvers import feed
from schema.auth import User
from schema.feed import acts, groups, inputs, promotion
from schema.feed.events import FeedEvent, PostEvent
from schema.feed.groups import GroupConnection, Report, ReportConnection
from schema.feed.types import Comment, FeedConnection, FeedDelta, Follow, Group, Post, UserConnection
from stores.auth import Role
from subscriptions import feed as live

__all__ = ["Comment", "Follow", "Group", "Mutation", "Post", "Query", "Report", "Subscription", "Viewer"]


class Query:
    post: Post | None = query(feed.post)
    """A post; NOT_FOUND when it does not exist or you may not see it."""
    post_by_link: Post | None = query(feed.post_by_link, code="The code in the link.")
    """A post by a link to it, for anonymous readers too; NOT_FOUND when it is gone or not for you."""
    group: Group | None = query(feed.group)
    """A group, for signed-in users; NOT_FOUND when there is none."""
    moderation_queue: ReportConnection = query(
        feed.moderation_queue, page=20, roles=(Role.MODERATOR,), status="Only reports of this status."
    )
    """Reports, oldest first."""
    feed_experiment: promotion.FeedExperiment | None = query(feed.feed_experiment, roles=(Role.ADMIN,))
    """The experiment with the ranking that is under way; null when there is none."""


class Viewer:
    following: UserConnection = connection(feed.viewer_following)
    """Whom you follow, latest first."""
    followers: UserConnection = connection(feed.viewer_followers)
    """Who follows you, latest first."""
    blocked: UserConnection = connection(feed.blocked)
    """Whom you blocked, latest first."""
    muted_users: UserConnection = connection(feed.muted_users)
    """Whom you follow and keep out of your feed."""
    suggested_users: list[User] = field(feed.suggested_users, first="How many, 1 to 50.")
    """People you may like to follow: first those whom many follow that you follow."""
    groups: GroupConnection = connection(feed.viewer_groups)
    """Your groups, joined last first."""
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
    """Delete a comment of yours, or one on your post; moderators what was reported."""
    set_reaction = mutation(
        feed.set_reaction,
        inputs.SetReactionInput,
        inputs.SetReactionPayload,
        reissue=feed.replayed_summary,
    )
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
    share_post = mutation(feed.share_post, acts.SharePostInput, acts.SharePostPayload)
    """Pass a post on into your timeline."""
    create_share_link = mutation(
        feed.create_share_link, acts.CreateShareLinkInput, acts.CreateShareLinkPayload
    )
    """A link to a public post, for people without an account too."""
    create_group = mutation(feed.create_group, groups.CreateGroupInput, groups.CreateGroupPayload)
    """Begin a group."""
    join_group = mutation(feed.join_group, groups.JoinGroupInput, groups.JoinGroupPayload)
    """Join an open group."""
    leave_group = mutation(feed.leave_group, groups.LeaveGroupInput, groups.LeaveGroupPayload)
    """Leave a group."""
    hide_post = mutation(feed.hide_post, acts.HidePostInput, acts.HidePostPayload)
    """Take a post out of your feed."""
    not_interested = mutation(feed.not_interested, acts.NotInterestedInput, acts.NotInterestedPayload)
    """Take a post out of your feed, and see less by its author."""
    record_impressions = mutation(
        feed.record_impressions, acts.RecordImpressionsInput, acts.RecordImpressionsPayload
    )
    """Tell what was on the screen, so that the feed can learn."""
    set_comment_typing = mutation(
        feed.set_comment_typing, acts.SetCommentTypingInput, acts.SetCommentTypingPayload, receipt=False
    )
    """Tell those who have the post open that you are writing; ephemeral."""
    set_follow_lists_hidden = mutation(
        feed.set_follow_lists_hidden, acts.SetFollowListsHiddenInput, acts.SetFollowListsHiddenPayload
    )
    """Show or hide whom you follow and who follows you."""
    report_content = mutation(feed.report_content, groups.ReportContentInput, groups.ReportContentPayload)
    """Report a post, comment or person to moderators."""
    moderate = mutation(feed.moderate, groups.ModerateInput, groups.ModeratePayload, roles=(Role.MODERATOR,))
    """Decide about something that was reported."""
    appeal = mutation(feed.appeal, groups.AppealInput, groups.AppealPayload)
    """Ask moderators to look again at a post or comment of yours, once."""
    set_feed_experiment = mutation(
        feed.set_feed_experiment,
        promotion.SetFeedExperimentInput,
        promotion.SetFeedExperimentPayload,
        roles=(Role.ADMIN,),
    )
    """Try rankings out, each on some people; or end that."""
    sponsor_post = mutation(
        feed.sponsor_post, promotion.SponsorPostInput, promotion.SponsorPostPayload, roles=(Role.ADMIN,)
    )
    """Show a public post to strangers because somebody pays for it."""
    end_sponsorship = mutation(
        feed.end_sponsorship,
        promotion.EndSponsorshipInput,
        promotion.EndSponsorshipPayload,
        roles=(Role.ADMIN,),
    )
    """Pay for a post no longer."""


class Subscription:
    post_events: PostEvent = subscription(
        live.post_events, post_id="The post to watch.", after="Resume after the event with this `eventId`."
    )
    """What happens to a post, for anyone who may see it."""
    feed_events: FeedEvent = subscription(
        live.feed_events, after="Resume after the event with this `eventId`."
    )
    """What concerns you: comments, replies, mentions, followers, and that your feed has something new."""
