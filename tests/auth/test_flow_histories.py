"""Random histories of one flow against a model: at every step the same answer, and tokens once at most."""

import random
from dataclasses import dataclass
from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from core.jobs import run_due
from tests.auth.conftest import NewMember, forgive
from tests.auth.steps import (
    code_for,
    enable_two_factor,
    flow_of,
    new_number,
    other_than,
    resend,
    sign_in,
    verify,
    verify_backup,
)
from tests.conftest import NewPhone
from tests.phone import Phone

STEPS = 14
WAITS = (30, 60, 120, 10_000)


@dataclass
class Model:
    """Model of a flow: the state that the server's must equal."""

    age: int = 0
    sent_at: int = 0
    sends: int = 1
    attempts: int = 5
    delivered: bool = False
    done: bool = False

    @property
    def status(self) -> str:
        if self.done:
            return "VERIFIED"
        if self.attempts == 0:
            return "LOCKED"
        return "EXPIRED" if self.age >= 300 else "OPEN"

    @property
    def over(self) -> str | None:
        return {"OPEN": None, "LOCKED": "EXPIRED"}.get(self.status, "EXPIRED")

    def guess(self, *, right: bool, refusal: str) -> str | None:
        if self.over:
            return self.over
        if right:
            self.done = True
            return None
        self.attempts -= 1
        return refusal

    def resend(self) -> str | None:
        if self.over:
            return self.over
        if self.sends > 3:
            return "LIMIT_REACHED"
        if self.age < self.sent_at + WAITS[self.sends - 1]:
            return "RATE_LIMITED"
        self.sends, self.sent_at, self.delivered = self.sends + 1, self.age, False
        return None


@pytest.mark.parametrize("seed", range(12))
async def test_a_flow_is_what_its_model_says(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services, seed: int
) -> None:
    rng = random.Random(seed)
    email, number = await new_member(), new_number()
    backup = await enable_two_factor(await new_phone(user_id=email.partition("@")[0]), services, number)
    spent = len(backup)
    flow = (await sign_in(anonymous, email))["authFlow"]["id"]
    model, tokens = Model(), 0
    for _ in range(STEPS):
        await forgive(services)
        act = rng.choices(
            ["wait", "deliver", "right", "wrong", "backup", "spent", "resend"], [3, 3, 2, 3, 1, 1, 4]
        )[0]
        answer, expected = None, None
        if act == "wait":
            # Half minutes: what a slow machine adds to them decides nothing.
            seconds = rng.choice([30, 60, 90])
            clock.shift(timedelta(seconds=seconds))
            model.age += seconds
        elif act == "deliver":
            await run_due(services)
            model.delivered = model.delivered or model.status == "OPEN"
        elif act in ("right", "wrong"):
            known = await code_for(services, number) if model.delivered else "000000"
            right = act == "right" and model.delivered
            answer = await verify(anonymous, flow, known if right else other_than(known))
            expected = model.guess(right=right, refusal="CODE_INVALID")
        elif act == "backup":
            code = backup[spent - 1]
            spent -= 0 if model.over else 1
            answer = await verify_backup(anonymous, flow, code)
            expected = model.guess(right=True, refusal="")
        elif act == "spent":
            answer = await verify_backup(anonymous, flow, "AAAAAAAAAA")
            expected = model.guess(right=False, refusal="CODE_INVALID")
        else:
            answer, expected = await resend(anonymous, flow), model.resend()
        if answer is not None:
            assert [each["code"] for each in answer["errors"]] == ([expected] if expected else []), act
            tokens += bool(answer.get("tokens"))
        shown = await flow_of(anonymous, flow)
        assert (shown["status"], shown["remainingAttemptCount"]) == (model.status, model.attempts), act
        assert shown["remainingResendCount"] == 4 - model.sends
    assert tokens == int(model.done)
