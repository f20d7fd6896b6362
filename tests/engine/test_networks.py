"""Rate limits of anonymous callers, by their network."""

import pytest

from core.context import Context, Services
from core.security.limits import Rate
from core.security.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("a proxy's word", "a proxy's word"),
    ],
)
def test_an_ipv6_host_is_its_64_and_a_mapped_address_is_the_ipv4_one(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_a_host_that_changes_its_ipv6_address_is_one_caller(services: Services) -> None:
    rate = Rate("test-networks", 3, 3600)
    allowed = []
    for number in range(5):
        ctx = Context(services, address=f"2001:db8:77:88::{number:x}")
        allowed.append((await services.limits.take(rate, ctx.network)).allowed)
    assert allowed == [True, True, True, False, False]
