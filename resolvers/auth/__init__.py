"""Authentication: who is there, and since when."""

from resolvers.auth.accounts import check_password, check_sign_up, sign_in, sign_up
from resolvers.auth.changes import (
    change_email,
    change_password,
    check_change,
    check_reset,
    request_password_reset,
    reset_password,
)
from resolvers.auth.devices import device_owner, register_push_token, viewer_devices
from resolvers.auth.exports import request_data_export, viewer_data_export
from resolvers.auth.factors import (
    begin_backup_proof,
    change_phone,
    disable_two_factor,
    enable_two_factor,
    regenerate_backup_codes,
    resend_otp,
)
from resolvers.auth.flows import auth_flow, begin_proof
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
from resolvers.auth.migrations import canonical_emails, entries_for_keepers
from resolvers.auth.people import (
    BARRED,
    current,
    email,
    full_name,
    org,
    own_security_events,
    own_sessions,
    people,
    private,
    session_count,
    two_factor,
    user,
    viewer_security_events,
    viewer_session,
    viewer_sessions,
    viewer_users,
)
from resolvers.auth.profile import update_profile
from resolvers.auth.push import push
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
from resolvers.auth.telling import KEEPERS, person_scopes
from resolvers.auth.telling import change as change_account
from resolvers.auth.verification import verify_backup_code, verify_otp

__all__ = [
    "BARRED",
    "KEEPERS",
    "auth_flow",
    "begin_backup_proof",
    "begin_key_enrolment",
    "begin_key_sign_in",
    "begin_proof",
    "cancel_account_deletion",
    "canonical_emails",
    "change_account",
    "change_email",
    "change_password",
    "change_phone",
    "check",
    "check_change",
    "check_password",
    "check_reset",
    "check_sign_up",
    "current",
    "delete_auth_key",
    "device_owner",
    "disable_two_factor",
    "email",
    "enable_two_factor",
    "entries_for_keepers",
    "finish_key_enrolment",
    "finish_key_sign_in",
    "full_name",
    "org",
    "own_security_events",
    "own_sessions",
    "people",
    "person_scopes",
    "prepare_key_enrolment",
    "prepare_key_sign_in",
    "prepare_step_up",
    "private",
    "push",
    "refresh",
    "regenerate_backup_codes",
    "register_push_token",
    "reissue",
    "request_account_deletion",
    "request_data_export",
    "request_password_reset",
    "resend_otp",
    "reset_password",
    "revoke_other_sessions",
    "revoke_session",
    "session_count",
    "sign_in",
    "sign_out",
    "sign_out_owner",
    "sign_up",
    "step_up",
    "two_factor",
    "update_profile",
    "user",
    "verify_backup_code",
    "verify_otp",
    "viewer_data_export",
    "viewer_devices",
    "viewer_keys",
    "viewer_security_events",
    "viewer_session",
    "viewer_sessions",
    "viewer_users",
]
