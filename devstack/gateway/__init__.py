"""Payment gateway that pretends: it speaks Stripe's API, keeps a ledger, and misbehaves when told to.

    python -m devstack.gateway --port 12111 --hook http://127.0.0.1:8000/hooks/stripe

Cards are chosen by token: `tok_visa` pays, `tok_3ds` asks for a step first, `tok_declined` is declined; the
others are in `devstack.gateway.cards`.
"""

from devstack.gateway.api import Gateway
from devstack.gateway.cards import KEY, SECRET
from devstack.gateway.faults import GatewayFault

__all__ = ["KEY", "SECRET", "Gateway", "GatewayFault"]
