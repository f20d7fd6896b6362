"""GeoIP: the rough place of a network address, by a MaxMind database on disk; no service is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxminddb

from ports.auth import GeoLocation


class Nowhere:
    """Implements `ports.auth.GeoIp` without a database."""

    def place(self, address: str) -> str | None:
        return None

    def location(self, address: str) -> GeoLocation | None:
        return None


class PlacesFile:
    """Implements `ports.auth.GeoIp`; the file is of the City or Country kind: GeoLite2, DB-IP, others."""

    def __init__(self, file: Path) -> None:
        try:
            self._reader = maxminddb.open_database(file)
        except (OSError, maxminddb.InvalidDatabaseError) as problem:
            raise ValueError(
                f"LANDFALL_PLACES_FILE: {file} cannot be read ({type(problem).__name__})."
            ) from None

    def place(self, address: str) -> str | None:
        found = self._found(address)
        return ", ".join(filter(None, (_name(found, "city"), _name(found, "country")))) or None

    def location(self, address: str) -> GeoLocation | None:
        found = self._found(address)
        at = found.get("location") or {}
        lat, lng = at.get("latitude"), at.get("longitude")
        if not isinstance(lat, int | float) or not isinstance(lng, int | float):
            return None
        return GeoLocation(float(lat), float(lng), _name(found, "city"), _name(found, "country"))

    def _found(self, address: str) -> Mapping[str, Any]:
        try:
            found: Any = self._reader.get(address)
        except ValueError:
            # No address, or one of a family the file does not know.
            return {}
        return found if isinstance(found, Mapping) else {}


def _name(found: Mapping[str, Any], kind: str) -> str | None:
    names = (found.get(kind) or {}).get("names") or {}
    name = names.get("en")
    return name if isinstance(name, str) else None
