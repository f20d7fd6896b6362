"""Authentication: who is there, and since when."""

from resolvers.auth.accounts import sign_in, sign_up, verify_otp
from resolvers.auth.devices import device_owner, register_push_token, viewer_devices
from resolvers.auth.keys import (
    begin_key_enrolment,
    begin_key_sign_in,
    delete_auth_key,
    finish_key_enrolment,
    finish_key_sign_in,
    prepare_key_enrolment,
    prepare_key_sign_in,
    viewer_keys,
)
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
from resolvers.auth.stepup import prepare_step_up, step_up

__all__ = [
    "begin_key_enrolment",
    "begin_key_sign_in",
    "cancel_account_deletion",
    "check",
    "delete_auth_key",
    "device_owner",
    "finish_key_enrolment",
    "finish_key_sign_in",
    "full_name",
    "org",
    "own_security_events",
    "own_sessions",
    "people",
    "prepare_key_enrolment",
    "prepare_key_sign_in",
    "prepare_step_up",
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
    "viewer_keys",
    "viewer_security_events",
    "viewer_session",
    "viewer_sessions",
    "viewer_user",
]
