"""The social feed, as clients see it."""

from functools import partial
from typing import Any

from core import nodes
from core.graphql import Edge, Page, common, connection, field, local, mutation, query, subscription
from core.graphql.common import Node
from core.ids import Id
from resolvers.feed import (
    comments,
    experimenting,
    graph,
    groups,
    home,
    lists,
    moderating,
    posts,
    reactions,
    refreshing,
    sharing,
    signals,
    sponsoring,
)
from schema.auth import Account, User
from schema.feed import audited
from schema.feed.events import FeedEvent, PostEvent
from schema.feed.moderation import FeedExperiment, FeedVariantInput, Report, Sponsorship
from schema.feed.types import (
    Comment,
    FeedConnection,
    FeedDelta,
    FeedEdge,
    Follow,
    Group,
    ImpressionInput,
    Post,
    ShareLink,
    SocialArea,
    Subject,
)
from stores.auth import Role
from subscriptions import feed as live

__all__ = ["Comment", "Follow", "Group", "Mutation", "Post", "Query", "Report", "Subscription", "Viewer"]


class Query:
    post: Post | None = query(nodes.reader("post"))
    """Post by its id; null when it does not exist or is hidden from you."""
    share_link: ShareLink | None = query(sharing.share_link, code="Code at the end of the link's address.")
    """Link to a post by its code, for anonymous readers too; null when its post is gone or hidden."""
    group: Group | None = query(nodes.reader("group"))
    """Group by its id, for signed-in users; null when there is none."""
    reports: Page[Report] = query(moderating.reports, roles=(Role.MODERATOR,))
    """Reports of posts, comments and people, oldest first; each look is put on record."""
    feed_experiment: FeedExperiment | None = query(experimenting.feed_experiment, roles=(Role.ADMIN,))
    """Experiment with the ranking that is under way; null when there is none."""


class Viewer:
    feed: FeedConnection = connection(home.feed)
    """Home feed of yours, ranked for you unless sorted otherwise."""
    feed_delta: FeedDelta = field(
        refreshing.feed_delta, newer_token="Token of the feed you show: its `newerToken`."
    )
    """Pull-to-refresh of the feed: what is new, changed or gone since then."""
    social: SocialArea = local(lists.social)
    """People and groups around you."""


MENTIONS = "Ids of the people whom the text mentions, at most 20."
NEW_MENTIONS = "Ids of all the people whom the text mentions, at most 20."
COMMENT_TEXT = "Text of the comment, 1 to 2,000 characters."
REASON = "Reason that the audit log keeps, 1 to 1,000 characters."
SPONSORSHIP_VERSION = (
    "Version of the sponsorship that was edited, 0 when there was none: CONFLICT if there is a newer one. "
    "The last writer wins when left out."
)
ON_TIMELINE = "Edge of the post at the top of your timeline; null when refused."
ON_FEED = "Edge of the post at the top of your feed; null when refused."
FORGET = "Id of the post that left your feed and lives on elsewhere; null when refused."
VIEWER: dict[str, Any] = {"viewer": (common.Viewer, "You, with your counters and lists; null when refused.")}
THREAD: dict[str, Any] = {
    "parent": (Comment, "Top comment of the thread with its new count; null when it is no reply."),
    "post": (Post, "Post with its new count."),
}
JOINED = "Edge of the group at the top of your groups; null when refused."
UNLISTED = "Id of the person who left the list and lives on elsewhere; null when refused."
FOLLOWED = "Edge of the person in the list of those you follow; null when refused."
MUTED = "Edge of the person in the list of those you muted; null when refused."
UNMUTED = "Id of the person who left the list of those you muted; null when they were not in it."
ENDED_FOLLOW = "Id of your follow that ended; null when there was none."
administer = partial(mutation, reason=REASON, roles=(Role.ADMIN,))


class Mutation:
    create_post = mutation(
        posts.create_post,
        refuses="CONTENT_REFUSED INVALID_FORMAT NOT_MEMBER REQUIRED TOO_LONG TOO_MANY UPLOAD_REJECTED",
        returns={
            "post": Post,
            "post_edge": (Edge[Post], ON_TIMELINE),
            "feed_edge": (FeedEdge, ON_FEED),
            "group_post_edge": (Edge[Post], "Edge of the post in its group; null when it is for none."),
            **VIEWER,
        },
        text="Text of the post, at most 5,000 characters; may be left out when there are media or a link.",
        upload_ids="Ids of your uploads to show, at most 10; while one is not ready, only you see the post.",
        link_url="Address of a web page to show a preview of: http or https, at most 2,000 characters.",
        visibility="Audience that may see the post.",
        group_id="Id of the group that the post is for, if its audience is GROUP.",
        mentions=MENTIONS,
    )
    """Create a post, which its audience finds in their feeds."""
    update_post = mutation(
        posts.update_post,
        refuses="CONTENT_REFUSED TOO_LONG TOO_MANY UPLOAD_REJECTED",
        returns={
            "post": (Post, "Post as it is now; on CONFLICT as it is without your change."),
            "unpinned_post": (Post, "Post that was pinned before; null unless another took its place."),
        },
        text="Text of the post, at most 5,000 characters; may be empty when there are media or a link.",
        visibility="Audience of the post; posts of groups keep theirs.",
        pinned="True if the post is pinned to your timeline, in place of any other.",
        upload_ids="Ids of all uploads to show, in that order, new ones and those kept.",
        mentions=NEW_MENTIONS,
    )
    """Update a post of yours; it leaves the devices of people who may not see it any more."""
    delete_post = mutation(
        posts.delete_post, returns={"deleted_post_id": Id, **VIEWER}, audit=audited.POST_DELETED
    )
    """Delete a post of yours, with its comments and reactions."""
    create_comment = mutation(
        comments.create_comment,
        refuses="COMMENTS_CLOSED CONTENT_REFUSED REQUIRED TOO_LONG TOO_MANY UPLOAD_NOT_READY",
        returns={
            "comment": Comment,
            "comment_edge": (Edge[Comment], "Edge of the comment in its thread; null when refused."),
            **THREAD,
        },
        parent_id="Id of the comment to reply to; a reply to a reply joins the top comment's thread.",
        text=COMMENT_TEXT,
        mentions=MENTIONS,
    )
    """Create a comment on a post, or a reply to a comment; its author is notified."""
    update_comment = mutation(
        comments.update_comment,
        refuses="CONTENT_REFUSED TOO_LONG TOO_MANY",
        returns={"comment": (Comment, "Comment as it is now; on CONFLICT as it is without your change.")},
        text=COMMENT_TEXT,
        mentions=NEW_MENTIONS,
    )
    """Update the text of a comment of yours."""
    delete_comment = mutation(
        comments.delete_comment,
        returns={
            "deleted_comment_id": (Id, "Id of the comment that is gone; null when a stub of it stays."),
            "comment": (Comment, "Stub that stays while there are replies; null when there are none."),
            **THREAD,
        },
    )
    """Delete a comment of yours, or one on your post; moderators what was reported."""
    set_reaction = mutation(
        reactions.set_reaction,
        refuses="UPLOAD_NOT_READY",
        returns={"subject": (Subject, "Post or comment with its reactions; null when refused.")},
        subject_id="Id of the post or comment.",
        kind="Kind of your reaction; null takes it back.",
    )
    """Set or take back your reaction; not a toggle, so a replay is harmless."""
    follow_user = mutation(
        graph.follow_user,
        refuses="LIMIT_REACHED",
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours that leads to the person; null when refused."),
            "following_edge": (Edge[User], FOLLOWED),
            "removed_user_id": (Id, UNMUTED),
            **VIEWER,
        },
        notify="True if posts of the person are pushed to you while you are friends; left out: unchanged.",
    )
    """Follow a person, or unmute one you follow."""
    unfollow_user = mutation(
        graph.unfollow_user,
        returns={
            "user": User,
            "removed_user_id": (Id, UNLISTED),
            "deleted_follow_id": (Id, ENDED_FOLLOW),
            **VIEWER,
        },
    )
    """Unfollow a person, whose posts leave your feed and your devices."""
    mute_user = mutation(
        graph.mute_user,
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours, which is muted; null when refused."),
            "muted_user_edge": (Edge[User], MUTED),
            **VIEWER,
        },
    )
    """Mute a person you follow, whose posts stay out of your feed from now on."""
    unmute_user = mutation(
        graph.unmute_user,
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours, which is muted no more; null when refused."),
            "removed_user_id": (Id, UNLISTED),
            **VIEWER,
        },
    )
    """Unmute a person, whose posts come into your feed again."""
    block_user = mutation(
        graph.block_user,
        refuses="LIMIT_REACHED",
        returns={
            "user": (
                User,
                "Person as they are to you from now on; null when refused, and in a replay: they are hidden.",
            ),
            "blocked_user_edge": (
                Edge[User],
                "Edge of the person in the list of those you blocked; null in a replay.",
            ),
            "removed_user_id": (Id, "Id of the person who left your other lists; null when refused."),
            "deleted_follow_id": (Id, ENDED_FOLLOW),
            **VIEWER,
        },
    )
    """Block a person, so that you are hidden from each other everywhere; follows between you end. At most
    10,000 people are blocked."""
    unblock_user = mutation(
        graph.unblock_user,
        returns={
            "user": (User, "Person as you see them; null when they still hide from you."),
            "removed_user_id": (Id, UNLISTED),
            **VIEWER,
        },
    )
    """Unblock a person, without the follows that the block ended."""
    share_post = mutation(
        sharing.share_post,
        refuses="CONTENT_REFUSED TOO_LONG UPLOAD_NOT_READY",
        returns={
            "post": (Post, "Share that was made; null when refused."),
            "post_edge": (Edge[Post], ON_TIMELINE),
            "feed_edge": (FeedEdge, ON_FEED),
            "shared_post": (Post, "Original post with its new count."),
            **VIEWER,
        },
        post_id="Id of the post to share; of a share, the original is shared.",
        text="Text to show with the shared post, at most 5,000 characters.",
        visibility="Audience of the share, any but GROUP; the original is shown to its own audience alone.",
    )
    """Share a post into your timeline, as a post of your own."""
    create_share_link = mutation(
        sharing.create_share_link,
        refuses="UPLOAD_NOT_READY",
        returns={"share_link": (ShareLink, "Link of yours to the post, always the same one.")},
    )
    """Create a link to a public post, for people without an account too; you have one for each post."""
    create_group = mutation(
        groups.create_group,
        refuses="LIMIT_REACHED REQUIRED TOO_LONG TOO_MANY",
        returns={"group": Group, "group_edge": (Edge[Group], JOINED), **VIEWER},
        name="Name of the group, 1 to 100 characters.",
        privacy="Join policy of the group.",
        member_ids="Ids of friends who are members from the beginning, at most 50.",
    )
    """Create a group that you own, with friends you bring along."""
    join_group = mutation(
        groups.join_group,
        refuses="LIMIT_REACHED",
        returns={"group": Group, "group_edge": (Edge[Group], JOINED), **VIEWER},
    )
    """Join an open group."""
    leave_group = mutation(
        groups.leave_group,
        returns={
            "group": (Group, "Group with its new count; null when nobody is left."),
            "removed_group_id": (Id, "Id of the group that left your list; null when it is gone."),
            "deleted_group_id": (Id, "Id of the group that is gone, since nobody is left; null otherwise."),
            **VIEWER,
        },
    )
    """Leave a group, whose oldest member succeeds you as owner; an empty group is deleted."""
    hide_post = mutation(signals.hide_post, returns={"removed_post_id": (Id, FORGET)})
    """Hide a post from your feed for good."""
    mark_post_uninteresting = mutation(
        signals.mark_post_uninteresting, returns={"removed_post_id": (Id, FORGET)}
    )
    """Mark a post as uninteresting: it leaves your feed, and its author is shown less."""
    record_impressions = mutation(
        signals.record_impressions,
        refuses="OUT_OF_RANGE REQUIRED TOO_MANY",
        returns={
            "recorded_count": (
                int,
                "Number of impressions recorded; those of posts hidden from you are left out.",
            )
        },
        takes={"items": list[ImpressionInput]},
        items="Impressions to record, 1 to 50.",
    )
    """Record which posts were on the screen, so that the ranking of your feed can learn."""
    set_comment_typing = mutation(
        signals.set_comment_typing,
        refuses="COMMENTS_CLOSED",
        returns={},
        typing="True if you are writing: send true again every few seconds, since it lapses after six.",
        receipt=False,
    )
    """Set whether those who have the post open see that you write; nothing is kept of it."""
    set_follow_lists_hidden = mutation(
        lists.set_follow_lists_hidden,
        returns={"account": Account},
        hidden="True if only you see these lists.",
    )
    """Set whether others see the lists of whom you follow and who follows you."""
    submit_report = mutation(
        moderating.submit_report,
        refuses="TOO_LONG",
        returns={"report": (Report, "Report that you made now, or before; null when refused.")},
        subject_id="Id of the post, comment or person.",
        reason="Kind of violation to report.",
        note="Note to the moderators, at most 1,000 characters.",
    )
    """Submit a post, comment or person to the moderators; each person reports it once."""
    decide_moderation = mutation(
        moderating.decide_moderation,
        refuses="REQUIRED TOO_LONG WRONG_STATUS",
        returns={
            "subject": (Node, "Post, comment or person as it is now; null when refused."),
            "removed_report_ids": (list[Id], "Ids of the reports that were settled, at most 1,000."),
        },
        subject_id="Id of the post, comment or person.",
        action="Action on what was reported.",
        label="Warning to show, if the action is LABEL; null for none any more.",
        reason=REASON,
        roles=(Role.MODERATOR,),
        audit=audited.MODERATION_DECIDED,
    )
    """Decide about a post, comment or person that was reported, and settle all reports of it."""
    appeal_moderation = mutation(
        moderating.appeal_moderation,
        refuses="ALREADY_DONE REQUIRED TOO_LONG WRONG_STATUS",
        returns={"subject": (Node, "Post or comment of yours; null when refused.")},
        subject_id="Id of your post or comment.",
        text="Text of the appeal, 1 to 1,000 characters.",
    )
    """Appeal a decision of moderators about a post or comment of yours, once: its reports are open again."""
    set_feed_experiment = administer(
        experimenting.set_feed_experiment,
        refuses="INVALID_FORMAT REQUIRED TOO_LONG",
        returns={
            "feed_experiment": (
                FeedExperiment,
                "Experiment that is under way; null when there is none, or refused.",
            )
        },
        takes={"variants": list[FeedVariantInput]},
        name="Name of the experiment: small letters, digits and dashes, at most 64; left out: none any more.",
        variants="Variants to try out, with shares of 100 percent at most together.",
        audit=audited.EXPERIMENT_SET,
    )
    """Set which rankings are tried out, each on some people; or end that."""
    set_post_sponsorship = administer(
        sponsoring.set_post_sponsorship,
        refuses="OUT_OF_RANGE REQUIRED TOO_LONG",
        returns={"sponsorship": Sponsorship},
        expected_version=SPONSORSHIP_VERSION,
        starts_at="Start of the period; now when left out.",
        ends_at="End of the period, within a year of its start.",
        audit=audited.SPONSORSHIP_SET,
    )
    """Set for how long a public post is shown to strangers because somebody pays for it."""
    cancel_post_sponsorship = administer(
        sponsoring.cancel_post_sponsorship,
        refuses="REQUIRED TOO_LONG",
        returns={
            "post": (Post, "Post whose sponsorship ended; null when it is gone."),
            "sponsorship": (
                Sponsorship,
                "Sponsorship as changed, on CONFLICT without your change; null when there was none.",
            ),
        },
        expected_version=SPONSORSHIP_VERSION,
        audit=audited.SPONSORSHIP_CANCELED,
    )
    """Cancel the sponsorship of a post: its period ends now. The post can be sponsored again."""


class Subscription:
    post_events: PostEvent = subscription(live.post_events, post_id="Id of the post to watch.")
    """Events of a post: comments, reactions, edits and typing, until the post is gone or hidden from you."""
    feed_events: FeedEvent = subscription(live.feed_events)
    """Events that concern you: comments, replies, mentions, followers, and news in your feed."""
