"""Moderation: posts that are refused or limited, reports, decisions, appeals."""

from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from core import ids, jobs
from core.audit import Act, Mode
from core.context import Context, Services
from ports.feed import Shown, Verdict
from resolvers.feed.comments import COMMENT_RATE
from resolvers.feed.moderating import Moderation
from resolvers.feed.posts import POST_RATE
from stores import auth as accounts
from stores.auth import Role
from tests.audit.steps import on_record, sensitive
from tests.conftest import NewPhone
from tests.feed.steps import comment, feed_of, follow, publish
from tests.media.steps import complete, created, picture, send
from tests.phone import Phone, make_user

QUEUE = """query($filter: ReportFilterInput) { viewer { user { id } }
  reports(filter: $filter, first: 100) { edges { node {
    id reason status note appeal subject { __typename id ... on Post { text } } } } } }"""


async def moderator(new_phone: NewPhone, services: Services) -> Phone:
    person = await make_user(services, "Moderator", roles=[Role.MEMBER, Role.MODERATOR])
    return await new_phone(user_id=person)


async def queue(phone: Phone, subject: str, status: str = "OPEN") -> list[dict[str, Any]]:
    found = await phone.run(QUEUE, filter={"statuses": [status]})
    nodes = [edge["node"] for edge in found["reports"]["edges"]]
    return [node for node in nodes if node["subject"] and node["subject"]["id"] == subject]


async def codes(phone: Phone, mutation: str, **input: Any) -> list[str]:
    done = await phone.do(mutation, "__typename", **input)
    return [error["code"] for error in done["errors"]]


async def test_what_is_beyond_doubt_is_refused_at_once(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do(
        "createPost", "post { id }", text="I sell fentanyl, or buy heroin here: buy heroin"
    )
    [error] = refused["errors"]
    assert (error["code"], error["field"], error["retryable"]) == ("CONTENT_REFUSED", ["text"], False)
    post = await publish(ada)
    assert await codes(ada, "updatePost", postId=post, text="Who will hire a hitman?") == ["CONTENT_REFUSED"]
    assert await codes(ada, "createComment", postId=post, text="hire a hitman") == ["CONTENT_REFUSED"]
    assert await codes(ada, "sharePost", postId=post, text="hire a hitman") == ["CONTENT_REFUSED"]
    assert len(await services.db.find("posts", {"author_id": ada.user_id})) == 1


async def test_what_is_doubtful_is_limited_and_reported(
    new_phone: NewPhone, services: Services, no_posts: None
) -> None:
    ada, fan, stranger = [await new_phone(name) for name in ("Ada", "Fan", "Stranger")]
    judge = await moderator(new_phone, services)
    await follow(fan, ada)
    post = await publish(ada, "I will kill you")
    await jobs.run_due(services)
    state = await ada.run("query($id: ID!) { post(id: $id) { status } }", id=post)
    assert state == {"post": {"status": "LIMITED"}}
    assert await feed_of(fan) == [post]
    assert post not in await feed_of(stranger)
    [report] = await queue(judge, post)
    assert (report["reason"], report["note"]) == ("VIOLENCE", "Judged automatically.")
    labelled = await publish(ada, "A beheading, in graphic violence")
    await jobs.run_due(services)
    found = await ada.run("query($id: ID!) { post(id: $id) { status label } }", id=labelled)
    assert found == {"post": {"status": "PUBLISHED", "label": "SENSITIVE"}}


class Watchful:
    """Judges pictures; like a provider's, it knows them by their ids."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    async def judge(self, text: str, shown: Sequence[Shown]) -> Verdict:
        if shown:
            self.seen.append(tuple(each.id for each in shown))
        return Verdict(limit=bool(shown), reason="NUDITY")


async def test_pictures_are_judged_when_they_are_ready(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those a post waited for, and those that came to one which everybody saw already."""
    await jobs.run_due(services)
    watchful = Watchful()
    monkeypatch.setitem(services.extra, Moderation, Moderation(watchful))
    ada = await new_phone("Ada")
    waited, plain = picture(seed=31), picture(seed=32)
    first = await created(ada, waited, purpose="POST_MEDIA")
    made = await ada.do("createPost", "post { id status }", uploadIds=[first["id"]], visibility="PUBLIC")
    await jobs.run_due(services)
    assert (made["post"]["status"], watchful.seen) == ("PROCESSING", [])
    await complete(ada, first, await send(ada.http, first, waited))
    await jobs.run_due(services)
    shown = "query($id: ID!) { post(id: $id) { status media { id } } }"
    post = (await ada.run(shown, id=made["post"]["id"]))["post"]
    assert (post["status"], watchful.seen) == ("LIMITED", [(post["media"][0]["id"],)])

    other = await publish(ada, "Words alone", visibility="PUBLIC")
    second = await created(ada, plain, purpose="POST_MEDIA")
    await ada.do("updatePost", "post { id }", postId=other, uploadIds=[second["id"]])
    await jobs.run_due(services)
    assert len(watchful.seen) == 1
    await complete(ada, second, await send(ada.http, second, plain))
    await jobs.run_due(services)
    post = (await ada.run(shown, id=other))["post"]
    assert (post["status"], watchful.seen[1:]) == ("LIMITED", [(post["media"][0]["id"],)])


async def test_reporting_twice_is_the_first_report(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    first = await grace.do(
        "submitReport", "report { id status note }", subjectId=post, reason="SPAM", note="x"
    )
    again = await grace.do("submitReport", "report { id }", subjectId=post, reason="ABUSE")
    assert (first["errors"], again["report"]["id"]) == ([], first["report"]["id"])
    assert first["report"] == {"id": first["report"]["id"], "status": "OPEN", "note": None}
    node = "query($id: ID!) { node(id: $id) { ... on Report { status subject { id } } } }"
    assert (await grace.run(node, id=first["report"]["id"]))["node"]["subject"] == {"id": post}
    assert (await ada.run(node, id=first["report"]["id"]))["node"] is None
    assert await codes(ada, "submitReport", subjectId=post, reason="SPAM") == ["FORBIDDEN"]
    unseen = await publish(ada, visibility="PRIVATE")
    for subject in (unseen, ids.new_id("post"), ids.new_id("user")):
        assert await codes(grace, "submitReport", subjectId=subject, reason="SPAM") == ["NOT_FOUND"]


async def test_moderators_alone_judge_and_only_what_was_reported(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    judge = await moderator(new_phone, services)
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    await grace.do("followUser", "viewer { id }", userId=ada.user_id)
    post = await publish(ada, "For friends", visibility="FRIENDS")
    assert (await grace.ask(QUEUE)).code == "FORBIDDEN"
    decision = {"subjectId": post, "action": "REMOVE", "reason": "Rules"}
    assert await codes(grace, "decideModeration", **decision) == ["FORBIDDEN"]
    assert await codes(judge, "decideModeration", **decision) == ["NOT_FOUND"]
    await grace.do("submitReport", "report { id }", subjectId=post, reason="ABUSE", note="Rude")
    [seen] = await queue(judge, post)
    assert (seen["subject"]["text"], seen["note"]) == ("For friends", "Rude")
    done = await judge.do(
        "decideModeration", "removedReportIds subject { id ... on Post { status } }", **decision
    )
    assert (done["errors"], len(done["removedReportIds"])) == ([], 1)
    assert done["subject"] == {"id": post, "status": "REMOVED"}
    assert await queue(judge, post) == []
    [upheld] = await queue(judge, post, "UPHELD")
    assert upheld["status"] == "UPHELD"
    assert (await grace.run("query($id: ID!) { node(id: $id) { id } }", id=post))["node"] is None
    assert await codes(grace, "createComment", postId=post, text="?") == ["NOT_FOUND"]
    own = await ada.do("createComment", "comment { id }", postId=post, text="Why?")
    assert [error["code"] for error in own["errors"]] == ["COMMENTS_CLOSED"]


async def test_a_won_appeal_restores(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    judge = await moderator(new_phone, services)
    await follow(grace, ada)
    post = await publish(ada)
    said = await comment(ada, post, "Mine")
    for subject in (post, said):
        await grace.do("submitReport", "report { id }", subjectId=subject, reason="SPAM")
        assert await codes(ada, "appealModeration", subjectId=subject, text="It was fine") == ["WRONG_STATUS"]
    for subject in (said, post):
        decision = {"subjectId": subject, "reason": "x"}
        await judge.do("decideModeration", "removedReportIds", action="REMOVE", **decision)
        assert await codes(grace, "appealModeration", subjectId=subject, text="For her") == ["NOT_FOUND"]
        assert await codes(ada, "appealModeration", subjectId=subject, text=" ") == ["REQUIRED"]
        assert await codes(ada, "appealModeration", subjectId=subject, text="It was fine") == []
        assert await codes(ada, "appealModeration", subjectId=subject, text="Again") == ["ALREADY_DONE"]
        [open_] = await queue(judge, subject)
        assert open_["appeal"] == "It was fine"
        await judge.do("decideModeration", "removedReportIds", action="RESTORE", **decision)
        [closed] = await queue(judge, subject, "DISMISSED")
        assert closed["status"] == "DISMISSED"
    query = """query($id: ID!) { post(id: $id) { status commentCount
      comments { edges { node { text status } } } } }"""
    assert (await grace.run(query, id=post))["post"] == {
        "status": "PUBLISHED",
        "commentCount": 1,
        "comments": {"edges": [{"node": {"text": "Mine", "status": "PUBLISHED"}}]},
    }


async def test_a_moderator_deletes_reported_comments_only(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    judge = await moderator(new_phone, services)
    said = await comment(ada, await publish(ada), "Rude")
    assert await codes(judge, "deleteComment", commentId=said) == ["NOT_FOUND"]
    await grace.do("submitReport", "report { id }", subjectId=said, reason="ABUSE")
    assert await codes(judge, "deleteComment", commentId=said) == []


async def test_a_removed_comment_that_its_author_deletes_is_taken_off_the_counts_once(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    judge = await moderator(new_phone, services)
    post = await publish(ada)
    top = await comment(ada, post)
    rude = await comment(grace, post, "Rude", parentId=top)
    await comment(ada, post, "Fine", parentId=top)
    query = """query($post: ID!, $top: ID!) { post(id: $post) { commentCount }
      node(id: $top) { ... on Comment { replyCount } } }"""
    await ada.do("submitReport", "report { id }", subjectId=rude, reason="ABUSE")
    assert await codes(judge, "decideModeration", subjectId=rude, action="REMOVE", reason="Rude") == []
    without = {"post": {"commentCount": 2}, "node": {"replyCount": 1}}
    assert await ada.run(query, post=post, top=top) == without
    assert await codes(grace, "deleteComment", commentId=rude) == []
    assert await ada.run(query, post=post, top=top) == without


async def test_decisions_are_on_record(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    judge = await moderator(new_phone, services)
    post = await publish(ada)
    await grace.do("submitReport", "report { id }", subjectId=post, reason="SPAM")
    await judge.run(QUEUE)
    label = {"action": "LABEL", "label": "MISLEADING", "reason": "Not so"}
    await judge.do("decideModeration", "removedReportIds", subjectId=post, **label)
    await ada.do("updatePost", "post { id }", postId=post, visibility="PRIVATE")
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    await ada.do("deletePost", "deletedPostId", postId=post)
    by_judge, by_ada = [
        [
            (entry["action"], entry["resource_id"])
            for entry in await on_record(services, actor_id=each.user_id)
            if entry["action"].startswith("feed.")
        ]
        for each in (judge, ada)
    ]
    assert by_judge == [("feed.reports_read", None), ("feed.moderation_decided", post)]
    assert by_ada == [
        ("feed.visibility_set", post),
        ("feed.user_blocked", grace.user_id),
        ("feed.post_deleted", post),
    ]
    [decided] = await on_record(services, action="feed.moderation_decided", resource_id=post)
    assert (decided["subject_id"], decided["details"]) == (
        ada.user_id,
        {"decision": "LABEL", "label": "MISLEADING"},
    )
    assert await sensitive(services, decided) == {"reason": "Not so"}


async def test_looks_into_the_queue_are_each_on_record_beside_what_else_is_read(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer's other reads were made in the record's transaction, and after its end."""
    looks = 0

    async def record(ctx: Context, act: Act, mode: Mode) -> None:
        nonlocal looks
        looks += act.action == "feed.reports_read"
        await ctx.tx.lock_document(accounts.users, ctx.viewer_id)

    judge = await moderator(new_phone, services)
    await publish(judge)
    monkeypatch.setattr("core.audit.recorded.listeners", [record])
    page = "edges { node { id subject { id } } }"
    document = f"""{{ one: reports(first: 5) {{ {page} }} other: reports(first: 5) {{ {page} }}
      viewer {{ user {{ name posts(first: 1) {{ edges {{ node {{ text }} }} }} }} }} }}"""
    for _ in range(3):
        found = await judge.run(document)
        assert found["viewer"]["user"]["posts"]["edges"] == [{"node": {"text": "Hello"}}]
    assert looks >= 6


@pytest.mark.parametrize("what", ["posts", "comments"])
async def test_a_suspicious_burst_waits_and_is_flagged(
    new_phone: NewPhone, services: Services, what: str
) -> None:
    """Row: Suspicious write burst."""
    ada = await new_phone("Ada")
    judge = await moderator(new_phone, services)
    post = await publish(ada)
    refused_before = REGISTRY.get_sample_value("landfall_feed_refused_total", {"why": "rate"}) or 0
    rate = POST_RATE if what == "posts" else COMMENT_RATE
    for _ in range(rate.count):
        await services.limits.take(rate, ada.user_id)
    for _ in range(3):
        if what == "posts":
            refused = await ada.do("createPost", "post { id }", text="Again")
        else:
            refused = await ada.do("createComment", "comment { id }", postId=post, text="Again")
        assert [(error["code"], error["retryable"]) for error in refused["errors"]] == [
            ("RATE_LIMITED", True)
        ]
    assert REGISTRY.get_sample_value("landfall_feed_refused_total", {"why": "rate"}) == refused_before + 3
    [flag] = await queue(judge, ada.user_id)
    assert (flag["reason"], flag["note"]) == ("SPAM", f"Too many {rate.name}.")
