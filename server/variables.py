"""Environment check: `LANDFALL_` variables that are wrong or unknown, in words."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_settings import SettingsError

from core import discovery
from core.settings import fields

PREFIX = "LANDFALL_"
OTHERS = ("LANDFALL_MONGOD", "LANDFALL_REDIS_SERVER", "LANDFALL_LONG")
"""Read elsewhere: by the embedded servers, and by our own tests."""
OF_KUBERNETES = re.compile(r"LANDFALL_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
"""Environment variables that Kubernetes sets in every container for a Service whose name begins with ours."""
SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def known() -> list[str]:
    discovery.systems("ports")
    return [*(PREFIX + name.upper() for name in fields()), *OTHERS]


def unknown(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like ours and mean nothing: misspelled, or of another version."""
    ours = set(known())
    return sorted(
        name
        for name, value in environment.items()
        if name.startswith(PREFIX)
        and name not in ours
        and not OF_KUBERNETES.fullmatch(name)
        and not (name.endswith("_PORT") and SERVICE_ADDRESS.match(value))
    )


def warning(name: str) -> str:
    names = [each.removeprefix(PREFIX) for each in known()]
    near = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    meant = f": is {PREFIX}{near[0]} meant?" if near else "."
    return f"{name} is no setting of Landfall{meant}"


def problem(error: Mapping[str, Any]) -> str:
    """Problem with a setting, without its value, which may be secret."""
    name = PREFIX + str(error["loc"][0]).upper()
    told = f"{name}: {error['msg']}"
    if name == "LANDFALL_PORT" and SERVICE_ADDRESS.match(str(error["input"])):
        told += ". Kubernetes set it for a Service named landfall: set enableServiceLinks: false in the pod"
    return told


def unreadable(error: SettingsError) -> str:
    """A setting that is a list, and is not written as one."""
    found = re.search(r'field "(\w+)"', str(error))
    name = PREFIX + found[1].upper() if found else "A setting"
    return f'{name}: Write it as a JSON list, ["https://app.example.com"]'
