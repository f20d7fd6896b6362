"""Metrics of sessions and lockouts; `docs/alerts.yml` has their thresholds."""

from prometheus_client import Counter

REFRESHES_REFUSED = Counter(
    "landfall_auth_refreshes_refused_total", "Refused refreshes by error code.", ["code"]
)
SESSIONS_ENDED = Counter("landfall_auth_sessions_ended_total", "Ended sessions by reason.", ["reason"])
LOCKOUTS = Counter("landfall_auth_lockouts_total", "Accounts locked after too many failures.")
"""Reused refresh tokens are sessions that ended for REUSE_DETECTED; codes are counted where they are sent."""
