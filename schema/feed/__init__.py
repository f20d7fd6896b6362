"""The social feed, as clients see it."""

from typing import Any

from core import nodes
from core.graphql import Edge, Page, common, connection, field, local, mutation, query, subscription
from core.graphql.common import URL, Node
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
    SocialArea,
    Subject,
)
from stores.auth import Role
from subscriptions import feed as live

__all__ = ["Comment", "Follow", "Group", "Mutation", "Post", "Query", "Report", "Subscription", "Viewer"]


class Query:
    post: Post | None = query(nodes.reader("post"))
    """Post by its id; null when it does not exist or is hidden from you."""
    post_by_link: Post | None = query(sharing.post_by_link, code="The code in the link.")
    """A post by a link to it, for anonymous readers too; null when it is gone or not for you."""
    group: Group | None = query(nodes.reader("group"))
    """Group by its id, for signed-in users; null when there is none."""
    reports: Page[Report] = query(moderating.reports, roles=(Role.MODERATOR,))
    """Reports of posts, comments and people, oldest first; each look is put on record."""
    feed_experiment: FeedExperiment | None = query(experimenting.feed_experiment, roles=(Role.ADMIN,))
    """The experiment with the ranking that is under way; null when there is none."""


class Viewer:
    feed: FeedConnection = connection(home.feed)
    """Home feed of yours."""
    feed_delta: FeedDelta = field(refreshing.feed_delta, newer_token="The `newerToken` of the feed you show.")
    """Pull-to-refresh of the feed: what is new, changed or gone since then."""
    social: SocialArea = local(lists.social)
    """People and groups around you."""


MENTIONS, COMMENT_TEXT = "People the text names, at most 20.", "At most 2,000 characters."
REASON = "Why, for the record; 1 to 500 characters."
FORGET = "Id of the post that left your feed and lives on elsewhere; null when refused."
VIEWER: dict[str, Any] = {"viewer": (common.Viewer, "You, with your counters and lists; null when refused.")}
THREAD: dict[str, Any] = {
    "parent": (Comment, "Top comment of the thread with its new count; null when it is no reply."),
    "post": (Post, "Post with its new count."),
}
JOINED = "Its place at the top of your groups; null when refused."
UNLISTED = "Id of the person who left the list and lives on elsewhere; null when refused."
ENDED_FOLLOW = "Id of your follow that ended; null when there was none."


class Mutation:
    create_post = mutation(
        posts.create_post,
        refuses="CONTENT_REFUSED INVALID_FORMAT NOT_MEMBER REQUIRED TOO_LONG TOO_MANY UPLOAD_REJECTED",
        returns={
            "post": Post,
            "post_edge": (Edge[Post], "Its place at the top of your timeline."),
            "feed_edge": (FeedEdge, "Its place at the top of your feed."),
            "group_post_edge": (Edge[Post], "Its place in its group; null when it is for none."),
            **VIEWER,
        },
        text="At most 5,000 characters; may be left out when there are media or a link.",
        upload_ids="Your uploads to show, at most 10; while one is not ready, only you see the post.",
        link_url="An address to show a preview of.",
        visibility="Who may see it.",
        group_id="With GROUP: the group.",
        mentions=MENTIONS,
    )
    """Post something."""
    update_post = mutation(
        posts.update_post,
        refuses="CONTENT_REFUSED REQUIRED TOO_LONG TOO_MANY UPLOAD_REJECTED",
        returns={"post": (Post, "The post as it is now; on CONFLICT as it is without your change.")},
        text="New text; left out: unchanged.",
        visibility="New audience; left out: unchanged.",
        pinned="Whether it is on top of your timeline, where there is room for one; left out: unchanged.",
        upload_ids="All it is to show, in that order, new uploads and those it has; left out: unchanged.",
        mentions="People the text names; left out: unchanged.",
    )
    """Change a post of yours."""
    delete_post = mutation(posts.delete_post, returns={"deleted_post_id": Id, **VIEWER})
    """Delete a post of yours, with its comments and reactions."""
    create_comment = mutation(
        comments.create_comment,
        refuses="COMMENTS_CLOSED CONTENT_REFUSED REQUIRED TOO_LONG TOO_MANY UPLOAD_NOT_READY",
        returns={
            "comment": Comment,
            "comment_edge": (Edge[Comment], "Its place in its thread."),
            **THREAD,
        },
        parent_id="The comment it replies to; a reply to a reply joins the top comment's thread.",
        text=COMMENT_TEXT,
        mentions=MENTIONS,
    )
    """Comment on a post, or reply to a comment."""
    update_comment = mutation(
        comments.update_comment,
        refuses="CONTENT_REFUSED REQUIRED TOO_LONG TOO_MANY",
        returns={"comment": (Comment, "The comment as it is now; on CONFLICT as it is without your change.")},
        text=COMMENT_TEXT,
        mentions="People the text names; left out: unchanged.",
    )
    """Change a comment of yours."""
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
        subject_id="The post or comment.",
        kind="The reaction; null takes yours back.",
    )
    """Set or take back your reaction; not a toggle, so a replay is harmless."""
    follow_user = mutation(
        graph.follow_user,
        refuses="LIMIT_REACHED",
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours that leads to them; null when refused."),
            "following_edge": (Edge[User], "Their place among those whom you follow."),
            **VIEWER,
        },
        notify="Whether their posts, once they are a friend, are pushed to you; left out: unchanged.",
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
    """Follow a person no longer."""
    mute_user = mutation(
        graph.mute_user,
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours, which is muted; null when refused."),
            "muted_user_edge": (Edge[User], "Their place among those whom you muted."),
            **VIEWER,
        },
    )
    """Keep a person you follow out of your feed."""
    unmute_user = mutation(
        graph.unmute_user,
        returns={
            "user": User,
            "follow": (Follow, "Follow of yours, which is muted no more; null when refused."),
            "removed_user_id": (Id, UNLISTED),
            **VIEWER,
        },
    )
    """Let a muted person into your feed again."""
    block_user = mutation(
        graph.block_user,
        returns={
            "user": (
                User,
                "Person as they are to you from now on; null when refused, and in a replay: they are hidden.",
            ),
            "blocked_user_edge": (Edge[User], "Their place among those whom you blocked; null in a replay."),
            "removed_user_id": (Id, "Id of the person who left your other lists; null when refused."),
            "deleted_follow_id": (Id, ENDED_FOLLOW),
            **VIEWER,
        },
    )
    """Hide a person and yourself from each other everywhere."""
    unblock_user = mutation(
        graph.unblock_user,
        returns={
            "user": (User, "Person as you see them; null when they still hide from you."),
            "removed_user_id": (Id, UNLISTED),
            **VIEWER,
        },
    )
    """Undo a block of yours."""
    share_post = mutation(
        sharing.share_post,
        refuses="CONTENT_REFUSED TOO_LONG UPLOAD_NOT_READY",
        returns={
            "post": (Post, "Share that was made; null when refused."),
            "post_edge": (Edge[Post], "Its place at the top of your timeline."),
            "feed_edge": (FeedEdge, "Its place at the top of your feed."),
            "shared_post": (Post, "Original post with its new count."),
            **VIEWER,
        },
        post_id="The post to pass on; of a share, what it shares.",
        text="What you say to it, at most 5,000 characters.",
        visibility="Who may see the share; the original's own audience still rules.",
    )
    """Pass a post on into your timeline."""
    create_share_link = mutation(
        sharing.create_share_link,
        refuses="UPLOAD_NOT_READY",
        returns={"url": (URL, "The link; null when refused."), "code": (str, "Its code, for `postByLink`.")},
    )
    """A link to a public post, for people without an account too."""
    create_group = mutation(
        groups.create_group,
        refuses="REQUIRED TOO_LONG TOO_MANY",
        returns={"group": Group, "group_edge": (Edge[Group], JOINED), **VIEWER},
        name="1 to 100 characters.",
        privacy="Who may join.",
        member_ids="Friends to bring along, at most 50.",
    )
    """Begin a group."""
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
    """Leave a group."""
    hide_post = mutation(signals.hide_post, returns={"removed_post_id": (Id, FORGET)})
    """Take a post out of your feed."""
    mark_post_uninteresting = mutation(
        signals.mark_post_uninteresting, returns={"removed_post_id": (Id, FORGET)}
    )
    """Mark a post as uninteresting: it leaves your feed, and its author is shown less."""
    record_impressions = mutation(
        signals.record_impressions,
        refuses="OUT_OF_RANGE REQUIRED TOO_MANY",
        returns={"recorded": (int, "How many were taken.")},
        takes={"items": list[ImpressionInput]},
        items="1 to 50 posts.",
    )
    """Tell what was on the screen, so that the feed can learn."""
    set_comment_typing = mutation(
        signals.set_comment_typing,
        refuses="COMMENTS_CLOSED",
        returns={},
        typing="Say so again every few seconds: after six without a word you have stopped.",
        receipt=False,
    )
    """Set whether those who have the post open see that you write; nothing is kept of it."""
    set_follow_lists_hidden = mutation(
        lists.set_follow_lists_hidden,
        returns={"account": Account},
        hidden="True: only you see these lists.",
    )
    """Show or hide whom you follow and who follows you."""
    submit_report = mutation(
        moderating.submit_report,
        returns={"report": (Report, "Your report; the first one, if you reported it before.")},
        subject_id="The post, comment or person.",
        reason="What is wrong.",
        note="Anything to add, at most 1,000 characters.",
    )
    """Submit a post, comment or person to the moderators."""
    decide_moderation = mutation(
        moderating.decide_moderation,
        refuses="REQUIRED WRONG_STATUS",
        returns={
            "subject": (Node, "Post, comment or person as it is now; null when refused."),
            "removed_report_ids": (list[Id], "Ids of the reports that were settled, at most 1,000."),
        },
        subject_id="The post, comment or person.",
        action="What is to become of it.",
        label="With LABEL: the warning, or null for none any more.",
        reason="Why; kept on record.",
        roles=(Role.MODERATOR,),
    )
    """Decide about something that was reported."""
    appeal_moderation = mutation(
        moderating.appeal_moderation,
        refuses="ALREADY_DONE REQUIRED WRONG_STATUS",
        returns={"subject": (Node, "Your post or comment.")},
        subject_id="Your post or comment.",
        text="At most 1,000 characters.",
    )
    """Appeal a decision of moderators about a post or comment of yours, once."""
    set_feed_experiment = mutation(
        experimenting.set_feed_experiment,
        refuses="INVALID_FORMAT REQUIRED",
        returns={"feed_experiment": (FeedExperiment, "Experiment; null when there is none, or refused.")},
        takes={"variants": list[FeedVariantInput]},
        name="Small letters, digits and dashes; left out: nothing is tried out any more.",
        variants="Their shares come to at most 100.",
        reason=REASON,
        roles=(Role.ADMIN,),
    )
    """Set which rankings are tried out, each on some people; or end that."""
    set_post_sponsorship = mutation(
        sponsoring.set_post_sponsorship,
        refuses="OUT_OF_RANGE REQUIRED",
        returns={"sponsorship": Sponsorship},
        starts_at="From when on; now when left out.",
        ends_at="Until when; within a year of the start.",
        reason=REASON,
        roles=(Role.ADMIN,),
    )
    """Set for how long a public post is shown to strangers because somebody pays for it."""
    cancel_post_sponsorship = mutation(
        sponsoring.cancel_post_sponsorship,
        refuses="REQUIRED",
        returns={"post": (Post, "Post whose sponsorship ended; null when it is gone.")},
        reason=REASON,
        roles=(Role.ADMIN,),
    )
    """Cancel the sponsorship of a post."""


class Subscription:
    post_events: PostEvent = subscription(live.post_events, post_id="The post to watch.")
    """What happens to a post, for anyone who may see it."""
    feed_events: FeedEvent = subscription(live.feed_events)
    """What concerns you: comments, replies, mentions, followers, and that your feed has something new."""
