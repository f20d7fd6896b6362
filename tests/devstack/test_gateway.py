"""The gateway that pretends, as a process: it outlives those who charge with it, and its own death."""

from pathlib import Path

from aiohttp import ClientSession

from core import ids
from devstack.gateway import KEY
from devstack.gateway.process import EmbeddedGateway
from ports.order import Charge, ChargeStatus, Source
from providers.stripe_gateway import StripeGateway


async def charged(embedded: EmbeddedGateway, subject: str) -> Charge:
    """One charge, however often it is asked for, by somebody who holds no connection yet."""
    embedded.wait()
    async with ClientSession() as http:
        return await StripeGateway(http, KEY, embedded.url, "").authorize(
            Source("tok_visa"),
            amount=500,
            currency="EUR",
            subject_id=subject,
            part="",
            attempt=1,
            capture=False,
            key=f"{subject}:1",
        )


async def test_the_ledger_outlives_its_process(tmp_path: Path) -> None:
    embedded, subject = EmbeddedGateway(tmp_path / "gateway"), ids.new_id("order")
    with embedded.running():
        held = await charged(embedded, subject)
        embedded.process.kill()
        embedded.process.start()
        assert await charged(embedded, subject) == held
        async with ClientSession() as http:
            stripe = StripeGateway(http, KEY, embedded.url, "")
            assert await stripe.charges_for(subject) == [held]
            lapsed = http.post(f"{embedded.url}/control/lapse/{held.ref}")
            async with lapsed as answer:
                assert answer.status == 204
            assert (await stripe.find(held.ref)).status == ChargeStatus.LAPSED
