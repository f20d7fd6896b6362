"""Submissions and their review: many people, one case, one decision that reaches them all."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from resolvers.barcode import fanning_out
from tests.barcode.steps import (
    QUEUE,
    SUBMISSION,
    case_of,
    codes_of,
    decided,
    gtin_of,
    looked_up,
    new_code,
    scan_of,
    scanned,
    settled,
    submission_of,
    submitted,
    with_code,
)
from tests.conftest import NewPhone
from tests.notification.steps import titles
from tests.phone import Phone

MINE = f"query {{ viewer {{ scanner {{ submissions {{ edges {{ cursor node {{ {SUBMISSION} }} }} }} }} }} }}"


async def mine(phone: Phone) -> list[dict[str, Any]]:
    return [edge["node"] for edge in (await phone.run(MINE))["viewer"]["scanner"]["submissions"]["edges"]]


async def test_a_code_is_submitted_reviewed_and_matched(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    scan = (await scanned(ada, code))["scanRecord"]
    made = await submitted(ada, code, context="White jar", scanRecordId=scan["id"])
    assert (made["status"], made["gtin"], made["context"]) == ("PENDING", gtin_of(code), "White jar")
    assert await mine(ada) == [made]
    case = await case_of(reviewer, code)
    assert (case["status"], case["submissionCount"], case["version"]) == ("PENDING", 1, 1)
    product = await with_code(services, admin, new_code())
    variant = product["variants"][0]["id"]
    done = await decided(reviewer, case, "MATCH", productVariantId=variant, expectedVersion=1)
    assert (done["errors"], done["reviewCase"]["status"]) == ([], "MATCHED")
    await settled(services)
    after = await submission_of(ada, made["id"])
    assert (after["status"], after["product"], after["version"]) == ("MATCHED", {"id": product["id"]}, 2)
    found = await scan_of(ada, scan["id"])
    assert (found["status"], found["product"]["id"], found["version"]) == ("MATCHED", product["id"], 2)
    assert (await looked_up(ada, code))["source"] == "REVIEW"
    assert await titles(ada) == ["The product of your barcode was found"]


async def test_40_users_submit_one_code_one_case_40_submissions_all_informed(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanning_out, "BATCH", 15)
    code = new_code()
    people = [await new_phone(f"Person {number}") for number in range(40)]
    for start in range(0, 40, 8):
        await asyncio.gather(*(submitted(each, code) for each in people[start : start + 8]))
    case = await case_of(reviewer, code)
    assert case["submissionCount"] == 40
    shown = "submissions(first: 100) { edges { node { id status } } }"
    query = f"query($id: ID!) {{ reviewCase(id: $id) {{ {shown} }} }}"
    assert len((await reviewer.run(query, id=case["id"]))["reviewCase"]["submissions"]["edges"]) == 40
    done = await decided(reviewer, case, "REJECT", reason="A toy")
    assert done["errors"] == []
    await settled(services)
    for each in people[::13]:
        [own] = await mine(each)
        assert (own["status"], own["decisionReason"]) == ("REJECTED", "A toy")
        assert await titles(each) == ["Your barcode leads to no product"]
    left = await services.db.find("barcode_submissions", {"gtin": gtin_of(code), "status": "PENDING"})
    assert left == []


async def test_a_fan_out_that_died_goes_on_where_it_stopped(
    services: Services, reviewer: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanning_out, "BATCH", 2)
    code, people = new_code(), [await new_phone(f"Person {number}") for number in range(5)]
    for each in people:
        await submitted(each, code)
    notify, calls = fanning_out.notify, []

    async def dying(*args: Any, **given: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("The worker died.")
        await notify(*args, **given)

    monkeypatch.setattr(fanning_out, "notify", dying)
    await decided(reviewer, await case_of(reviewer, code), "NEEDS_INFO", reason="A photo of the back, please")
    with pytest.raises(RuntimeError):
        await fanning_out.tell_decision(services, gtin=gtin_of(code))
    query = {"gtin": gtin_of(code), "status": "NEEDS_INFO"}
    assert len(await services.db.find("barcode_submissions", query)) == 2
    await fanning_out.tell_decision(services, gtin=gtin_of(code))
    assert len(await services.db.find("barcode_submissions", query)) == 5
    await settled(services)
    for each in people:
        assert await titles(each) == ["We need more about your barcode"]


async def test_submission_for_a_code_matched_meanwhile_is_matched_at_once_and_makes_no_case(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, code)
    made = await submitted(ada, code)
    assert (made["status"], made["product"]) == ("MATCHED", {"id": product["id"]})
    edges = (await reviewer.run(QUEUE))["barcodeReviewQueue"]["edges"]
    assert gtin_of(code) not in [edge["node"]["gtin"] for edge in edges]


async def test_a_case_is_closed_when_the_catalog_gets_the_code(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    made, scan = await submitted(ada, code), (await scanned(ada, code))["scanRecord"]
    product = await with_code(services, admin, code)
    assert (await submission_of(ada, made["id"]))["product"] == {"id": product["id"]}
    assert (await scan_of(ada, scan["id"]))["status"] == "MATCHED"
    edges = (await reviewer.run(QUEUE))["barcodeReviewQueue"]["edges"]
    assert gtin_of(code) not in [edge["node"]["gtin"] for edge in edges]


async def test_submissions_of_one_person_converge(new_phone: NewPhone, reviewer: Phone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    first = await submitted(ada, code)
    again = await submitted(ada, f"0{code}", context="A jar")
    assert (again["id"], again["context"], again["barcode"]) == (first["id"], "A jar", code)
    assert (await case_of(reviewer, code))["submissionCount"] == 1


async def test_two_reviewers_decide_first_wins_other_conflict(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    case = await case_of(reviewer, code)
    first = await decided(reviewer, case, "REJECT", reason="A toy", expectedVersion=1)
    assert first["errors"] == []
    for given in ({"expectedVersion": 1}, {}):
        late = await decided(admin, case, "REJECT", reason="Another", **given)
        assert codes_of(late) == [("CONFLICT", None)]
        assert late["reviewCase"]["decisionReason"] == "A toy"


async def test_one_reviewer_at_a_time_has_a_case_for_half_an_hour(
    admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    case = await case_of(reviewer, code)
    claim = {"reviewCaseId": case["id"]}
    mine = await reviewer.do("claimReviewCase", "reviewCase { version assignee { id } }", **claim)
    assert mine["reviewCase"] == {"version": 2, "assignee": {"id": reviewer.user_id}}
    refused = await admin.do("claimReviewCase", "reviewCase { version }", **claim)
    assert (codes_of(refused), refused["errors"][0]["retryable"]) == ([("CASE_CLAIMED", None)], True)
    assert 1_700 < refused["errors"][0]["retryAfterSeconds"] <= 1_800
    refused = await decided(admin, case, "REJECT", reason="No")
    assert codes_of(refused) == [("CASE_CLAIMED", None)]
    assigned = "query { barcodeReviewQueue(filter: { assignedToMe: true }) { edges { node { id } } } }"
    assert (await reviewer.run(assigned))["barcodeReviewQueue"]["edges"] == [{"node": {"id": case["id"]}}]
    clock.shift(timedelta(minutes=31))
    admin = await new_phone(user_id=admin.user_id)
    taken = await admin.do("claimReviewCase", "reviewCase { assignee { id } }", **claim)
    assert taken["reviewCase"] == {"assignee": {"id": admin.user_id}}


async def test_a_decision_names_its_variant_or_reason(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    case = await case_of(reviewer, code)
    for decision, given, refusal in (
        ("MATCH", {}, ("REQUIRED", ["productVariantId"])),
        (
            "MATCH",
            {"productVariantId": "variant_01h455vb4pex5vsknk084sn02q"},
            ("NOT_FOUND", ["productVariantId"]),
        ),
        ("REJECT", {}, ("REQUIRED", ["reason"])),
        ("NEEDS_INFO", {"reason": " "}, ("REQUIRED", ["reason"])),
        ("REJECT", {"reason": "x" * 501}, ("TOO_LONG", ["reason"])),
    ):
        assert codes_of(await decided(reviewer, case, decision, **given)) == [refusal]
    assert (await case_of(reviewer, code))["version"] == 1


async def test_code_of_another_product_chosen_is_already_mapped_with_its_product(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    case = await case_of(reviewer, code)
    one, two = [await with_code(services, admin, new_code()) for _ in range(2)]
    mapped = {"code": code, "productVariantId": one["variants"][0]["id"]}
    assert (await admin.do("setBarcodeMapping", "barcodeMapping { id }", **mapped))["errors"] == []
    refused = await decided(reviewer, case, "MATCH", productVariantId=two["variants"][0]["id"])
    assert codes_of(refused) == [("BARCODE_ALREADY_MAPPED", ["code"])]
    assert refused["product"] == {"id": one["id"]}
    several = {"productVariantId": two["variants"][0]["id"], "allowMultiple": True}
    assert (await decided(reviewer, case, "MATCH", **several))["errors"] == []
    await settled(services)
    assert (await looked_up(ada, code))["status"] == "AMBIGUOUS"


async def test_what_a_reviewer_asks_for_makes_it_pending_again(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    made = await submitted(ada, code)
    await decided(reviewer, await case_of(reviewer, code), "NEEDS_INFO", reason="Which flavor?")
    await settled(services)
    asked = await submission_of(ada, made["id"])
    assert (asked["status"], asked["decisionReason"]) == ("NEEDS_INFO", "Which flavor?")
    named = {"barcodeSubmissionId": made["id"], "expectedVersion": asked["version"]}
    given = await ada.do(
        "updateBarcodeSubmission", f"barcodeSubmission {{ {SUBMISSION} }}", **named, context="Lime"
    )
    assert (given["errors"], given["barcodeSubmission"]["status"]) == ([], "PENDING")
    late = await ada.do("updateBarcodeSubmission", "barcodeSubmission { context }", **named, context="Late")
    assert (codes_of(late), late["barcodeSubmission"]) == ([("CONFLICT", None)], {"context": "Lime"})
    case = await case_of(reviewer, code)
    assert case["status"] == "PENDING"
    await decided(reviewer, case, "REVIEWED")
    await settled(services)
    assert (await submission_of(ada, made["id"]))["status"] == "REVIEWED"
    closed = await ada.do(
        "updateBarcodeSubmission", "barcodeSubmission { id }", barcodeSubmissionId=made["id"], context="More"
    )
    assert codes_of(closed) == [("WRONG_STATUS", None)]


async def test_a_submission_is_withdrawn_and_an_empty_case_with_it(
    reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, grace, code = await new_phone("Ada"), await new_phone("Grace"), new_code()
    one, two = await submitted(ada, code), await submitted(grace, code)
    theirs = await grace.do(
        "deleteBarcodeSubmission", "deletedBarcodeSubmissionId", barcodeSubmissionId=one["id"]
    )
    assert codes_of(theirs) == [("NOT_FOUND", ["barcodeSubmissionId"])]
    for phone, each, left in ((ada, one, 1), (grace, two, 0)):
        done = await phone.do(
            "deleteBarcodeSubmission", "deletedBarcodeSubmissionId", barcodeSubmissionId=each["id"]
        )
        assert (done["errors"], done["deletedBarcodeSubmissionId"]) == ([], each["id"])
        edges = (await reviewer.run(QUEUE))["barcodeReviewQueue"]["edges"]
        counts = [edge["node"]["submissionCount"] for edge in edges if edge["node"]["gtin"] == gtin_of(code)]
        assert counts == [left] * bool(left)


async def test_a_rejected_code_may_be_submitted_again_after_30_days(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, grace, code = await new_phone("Ada"), await new_phone("Grace"), new_code()
    await submitted(ada, code)
    await decided(reviewer, await case_of(reviewer, code), "REJECT", reason="A toy")
    await settled(services)
    at_once = await submitted(grace, code)
    assert (at_once["status"], at_once["decisionReason"]) == ("REJECTED", "A toy")
    clock.shift(timedelta(days=31))
    again = await new_phone(user_id=ada.user_id)
    assert (await submitted(again, code))["status"] == "PENDING"
    reviewing = await new_phone(user_id=reviewer.user_id)
    assert (await case_of(reviewing, code))["submissionCount"] == 1


async def test_a_person_submits_20_codes_a_day_and_the_key_stays_good(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for _ in range(20):
        await submitted(ada, new_code())
    given = {"idempotencyKey": "late", "code": new_code()}
    refused = await ada.do("submitBarcode", "barcodeSubmission { id }", **given)
    [error] = refused["errors"]
    assert (error["code"], error["kind"], error["limit"]) == ("SUBMISSION_LIMIT", "LIMIT", 20)
    assert error["retryable"]
    assert 86_000 < error["retryAfterSeconds"] <= 86_400
    clock.shift(timedelta(days=1, minutes=1))
    tomorrow = await new_phone(user_id=ada.user_id)
    done = await tomorrow.do("submitBarcode", "barcodeSubmission { status }", **given)
    assert (done["errors"], done["replayed"]) == ([], False)


async def test_the_queue_has_most_wanted_codes_first_and_is_for_reviewers(
    reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    rare, wanted = new_code(), new_code()
    await submitted(ada, rare)
    for each in (ada, grace):
        await submitted(each, wanted)
    edges = (await reviewer.run(QUEUE))["barcodeReviewQueue"]["edges"]
    gtins = [edge["node"]["gtin"] for edge in edges]
    assert gtins.index(gtin_of(wanted)) < gtins.index(gtin_of(rare))
    assert (await ada.ask(QUEUE)).code == "FORBIDDEN"
    case = await case_of(reviewer, rare)
    for mutation, given in (("claimReviewCase", {}), ("decideReviewCase", {"decision": "REVIEWED"})):
        refused = await ada.do(mutation, "reviewCase { id }", reviewCaseId=case["id"], **given)
        assert codes_of(refused) == [("FORBIDDEN", None)]


async def test_reviewers_see_code_and_context_and_not_who_submitted(
    reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    made = await submitted(ada, code, context="White jar")
    seen = await submission_of(reviewer, made["id"])
    assert (seen["barcode"], seen["context"]) == (code, "White jar")
    assert await submission_of(await new_phone("Grace"), made["id"]) is None
    refused = await reviewer.do(
        "updateBarcodeSubmission", "barcodeSubmission { id }", barcodeSubmissionId=made["id"], context="Mine"
    )
    assert codes_of(refused) == [("NOT_FOUND", ["barcodeSubmissionId"])]


async def test_claims_and_decisions_are_on_record(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    case = await case_of(reviewer, code)
    await reviewer.do("claimReviewCase", "reviewCase { id }", reviewCaseId=case["id"])
    await decided(reviewer, case, "REJECT", reason="A toy")
    rows = await services.db.find("audit_entries", {"actor_id": reviewer.user_id, "resource_id": case["id"]})
    assert sorted(row["action"] for row in rows) == ["barcode.case_claimed", "barcode.case_decided"]
