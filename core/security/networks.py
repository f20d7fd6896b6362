"""Network of an address: by what callers are counted that are not signed in."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

HOST_BITS = 64
"""Bits of an IPv6 address that a host chooses itself (RFC 4291): counted, each would be a new caller."""


@lru_cache(10_000)
def network_of(address: str) -> str:
    """The /64 of an IPv6 address; an IPv4 address, also one mapped into IPv6, as it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), 128 - HOST_BITS), strict=False))


def masked_address(address: str) -> str:
    """The network of an address: the last part is nobody's business."""
    try:
        whole = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ip_network((whole, 24 if whole.version == 4 else 48), strict=False).network_address)
