"""HTTP of the gateway that pretends: Stripe's paths and forms, idempotency keys, and the bank's page."""

import asyncio
import contextlib
import copy
import html
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import ClientSession, web

from devstack.gateway.cards import KEY
from devstack.gateway.events import Events
from devstack.gateway.faults import Faults, GatewayFault
from devstack.gateway.ledger import Entry, Ledger, Object, RequestRefused, missing

FORGOTTEN = 3600.0
SUBJECT = re.compile(r"metadata\['(\w+)'\]:'([^']*)'")
NAME = re.compile(r"\[([^\]]*)\]")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Your bank</title></head>
<body><h1>Your bank</h1><p>Pay {amount} {currency}?</p>
<form method="post"><button name="proved" value="yes">Pay</button>
<button name="proved" value="no">Refuse</button></form></body></html>
"""


class Gateway:
    """Gateway with its ledger; a state file keeps both over a restart."""

    def __init__(self, *, hook: str = "", state: Path | None = None) -> None:
        self.events = Events(hook)
        self.ledger = Ledger(self.events.add)
        self.faults = Faults()
        self.keys: dict[str, tuple[str, int, Object]] = {}
        """By idempotency key what was asked, and the answer."""
        self.asked: list[str] = []
        """Requests that came, `POST /v1/refunds`."""
        self.hung = asyncio.Event()
        """Set once a request is done that will not be answered."""
        self.url = ""
        self._state = state
        self._read()

    @asynccontextmanager
    async def running(self, port: int = 0, *, delivering: bool = False) -> AsyncIterator["Gateway"]:
        """Serve on the loopback; `delivering` events as they come, else when `deliver` is called."""
        runner = web.AppRunner(self.app(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as self.http:
            run = asyncio.create_task(self.events.run(self.http)) if delivering else None
            try:
                yield self
            finally:
                if run is not None:
                    run.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await run
                await runner.cleanup()

    async def deliver(self) -> int:
        """Deliver the events that wait; how many there were."""
        return await self.events.deliver(self.http)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.+}", self.handle)
        app.router.add_get("/confirm/{id}", self.page)
        app.router.add_post("/confirm/{id}", self.proved)
        app.router.add_post("/control/{act}/{id}", self.control)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _json(401, RequestRefused(401, "invalid_request_error", None).error)
        writes = request.method in ("POST", "DELETE")
        params = nested(await request.text() if writes else request.query_string)
        fault = self.faults.take() if writes else None
        if fault == GatewayFault.REFUSE:
            return _json(503, RequestRefused(503, "api_error", None).error)
        answer = self._answer(request, params, fault)
        self._write()
        if fault == GatewayFault.LOSE and request.transport is not None:
            request.transport.abort()
        if fault == GatewayFault.HANG:
            self.hung.set()
            await asyncio.sleep(FORGOTTEN)
        return answer

    def _answer(
        self, request: web.Request, params: Mapping[str, Any], fault: GatewayFault | None
    ) -> web.Response:
        key, asked = request.headers.get("Idempotency-Key", ""), _said(request.path, params)
        if key in self.keys:
            before, status, told = self.keys[key]
            if before != asked:
                return _json(400, RequestRefused(400, "idempotency_error", "idempotency_key_reused").error)
            return _answered(status, told, {"Idempotent-Replayed": "true"})
        status, told = self._done(request, params, fault)
        if key and status in (200, 402) and fault != GatewayFault.FORGET:
            self.keys[key] = (asked, status, copy.deepcopy(told))
        return _answered(status, told)

    def _done(
        self, request: web.Request, params: Mapping[str, Any], fault: GatewayFault | None
    ) -> tuple[int, Object]:
        try:
            if fault == GatewayFault.DECLINE and request.path == "/v1/payment_intents":
                unconfirmed = {name: value for name, value in params.items() if name != "confirm"}
                raise self.ledger.decline(self.ledger.create_intent(unconfirmed), "generic_decline")
            found = self._routed(request.method, request.match_info["path"].split("/"), params)
            return 200, self._expanded(found, params.get("expand") or {})
        except RequestRefused as refused:
            return refused.status, {"error": refused.error}

    def _routed(self, method: str, path: list[str], params: Mapping[str, Any]) -> Object:
        ledger = self.ledger
        match method, path:
            case "POST", ["payment_intents"]:
                return ledger.create_intent(params)
            case "GET", ["payment_intents", "search"]:
                return _listed(self._search(str(params.get("query", ""))))
            case "GET", ["payment_intents", id]:
                return ledger.get(id, "payment_intent")
            case "POST", ["payment_intents", id, "confirm"]:
                intent = ledger.get(id, "payment_intent")
                return ledger.confirm(intent, {**params, "customer": intent["customer"]})
            case "POST", ["payment_intents", id, "capture"]:
                return ledger.capture(id)
            case "POST", ["payment_intents", id, "cancel"]:
                return ledger.cancel(id, params.get("cancellation_reason"))
            case "POST", ["refunds"]:
                return ledger.refund(params)
            case "GET", [("refunds" | "disputes") as kind]:
                of_it = ledger.of(kind.removesuffix("s"))
                return _listed([each for each in of_it if each["payment_intent"] == params["payment_intent"]])
            case "POST", ["customers"]:
                return ledger.create_customer(params)
            case "DELETE", ["customers", id]:
                return ledger.delete_customer(id)
            case "POST", ["setup_intents"]:
                return ledger.create_setup(params)
            case "GET", ["setup_intents", id]:
                return ledger.get(id, "setup_intent")
            case "POST", ["payment_methods", id, "detach"]:
                return ledger.detach(id)
        raise missing("url")

    def _search(self, query: str) -> list[Object]:
        wanted = dict(SUBJECT.findall(query))
        intents = reversed(self.ledger.of("payment_intent"))
        return [each for each in intents if wanted.items() <= each["metadata"].items()]

    def _expanded(self, found: Object, expand: Mapping[str, str]) -> Object:
        """A copy with the objects in place of ids that were asked for."""
        whole = copy.deepcopy(found)
        for path in expand.values():
            name = path.removeprefix("data.")
            for each in whole["data"] if path.startswith("data.") else [whole]:
                each[name] = copy.deepcopy(self.ledger.objects.get(each.get(name) or "", each.get(name)))
        return self._with_addresses(whole)

    def _with_addresses(self, shown: Object) -> Object:
        """Addresses of the bank's page as a browser reaches them."""
        for each in shown.get("data") or [shown]:
            redirect = (each.get("next_action") or {}).get("redirect_to_url")
            if redirect:
                redirect["url"] = f"{self.url}{redirect['url']}"
        return shown

    async def page(self, request: web.Request) -> web.Response:
        """The bank's page, which asks whether to pay."""
        intent = self.ledger.objects.get(request.match_info["id"])
        if intent is None:
            raise web.HTTPNotFound
        shown = PAGE.format(amount=intent["amount"] / 100, currency=html.escape(intent["currency"].upper()))
        return web.Response(text=shown, content_type="text/html")

    async def proved(self, request: web.Request) -> web.Response:
        said = (await request.post()).get("proved") == "yes"
        try:
            intent = self.ledger.authenticate(request.match_info["id"], proved=said)
        except RequestRefused:
            raise web.HTTPNotFound from None
        self._write()
        raise web.HTTPFound(intent["return_url"] or "/")

    async def control(self, request: web.Request) -> web.Response:
        """Acts of the world outside, for processes that have no other hold of the gateway."""
        ledger = self.ledger
        acts: dict[str, Callable[[str], object]] = {
            "lapse": ledger.lapse,
            "dispute": ledger.dispute,
            "win": lambda id: ledger.close_dispute(id, won=True),
            "lose": lambda id: ledger.close_dispute(id, won=False),
            "settle": lambda id: ledger.settle(ledger.get(id, "payment_intent")),
            "fault": lambda name: self.faults.plan([GatewayFault(name)]),
        }
        act = acts.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound
        act(request.match_info["id"])
        self._write()
        return web.Response(status=204)

    def _read(self) -> None:
        if self._state is not None and self._state.exists():
            kept = orjson.loads(self._state.read_bytes())
            self.ledger.objects = kept["objects"]
            self.ledger.entries = [Entry(*each) for each in kept["entries"]]
            self.keys = {name: (asked, status, told) for name, (asked, status, told) in kept["keys"].items()}

    def _write(self) -> None:
        if self._state is not None:
            entries = [list(each) for each in self.ledger.entries]
            kept = {"objects": self.ledger.objects, "entries": entries, "keys": self.keys}
            beside = self._state.with_suffix(".new")
            beside.write_bytes(orjson.dumps(kept))
            beside.replace(self._state)


def nested(form: str) -> dict[str, Any]:
    """Parameters of a form: `metadata[subject]=a&expand[0]=b` as objects in objects."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        first, rest = name.split("[", 1) if "[" in name else (name, "")
        path = [first, *NAME.findall(f"[{rest}" if rest else "")]
        holder = found
        for step in path[:-1]:
            holder = holder.setdefault(step, {})
        holder[path[-1]] = value
    return found


def _said(path: str, params: Mapping[str, Any]) -> str:
    return orjson.dumps([path, params], option=orjson.OPT_SORT_KEYS).decode()


def _listed(rows: list[Object]) -> Object:
    return {"object": "list", "data": rows, "has_more": False}


def _json(status: int, error: Object) -> web.Response:
    return _answered(status, {"error": error})


def _answered(status: int, told: Object, headers: Mapping[str, str] | None = None) -> web.Response:
    body = orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
