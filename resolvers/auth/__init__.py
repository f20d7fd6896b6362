"""Authentication: who is there, and since when."""

from resolvers.auth.accounts import sign_in, sign_up, verify_otp
from resolvers.auth.devices import device_owner, register_push_token, viewer_devices
from resolvers.auth.leaving import cancel_account_deletion, request_account_deletion
from resolvers.auth.people import (
    full_name,
    org,
    own_security_events,
    own_sessions,
    people,
    private,
    user,
    viewer_security_events,
    viewer_session,
    viewer_sessions,
    viewer_user,
)
from resolvers.auth.profile import update_profile
from resolvers.auth.sessions import (
    check,
    refresh,
    reissue,
    revoke_other_sessions,
    revoke_session,
    sign_out,
    sign_out_owner,
)
from resolvers.auth.stepup import step_up

__all__ = [
    "cancel_account_deletion",
    "check",
    "device_owner",
    "full_name",
    "org",
    "own_security_events",
    "own_sessions",
    "people",
    "private",
    "refresh",
    "register_push_token",
    "reissue",
    "request_account_deletion",
    "revoke_other_sessions",
    "revoke_session",
    "sign_in",
    "sign_out",
    "sign_out_owner",
    "sign_up",
    "step_up",
    "update_profile",
    "user",
    "verify_otp",
    "viewer_devices",
    "viewer_security_events",
    "viewer_session",
    "viewer_sessions",
    "viewer_user",
]
