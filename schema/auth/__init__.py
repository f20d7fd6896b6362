"""Authentication and identity, as clients see them."""

from typing import Any

from core.binding import batched, connection, field, mutation, query, subscription
from resolvers import auth
from resolvers.auth import admin as administration
from schema.auth import admin, changes, events, flows, keys, profile, security, sessions, stepup
from schema.auth.accounts import User
from schema.auth.keys import AuthKey
from schema.auth.security import SecurityEvent
from schema.auth.sessions import Session, SessionConnection
from stores.auth import Role
from subscriptions import auth as live

__all__ = ["AuthKey", "Mutation", "Query", "SecurityEvent", "Session", "Subscription", "User", "Viewer"]


class Query:
    user: User | None = query(auth.user)
    """A person; NOT_FOUND when unknown, deleted or hidden from you."""
    account: admin.Account | None = query(
        administration.account,
        roles=(Role.ADMIN,),
        user_id="The person's id.",
        email="Or their whole address.",
    )
    """An account as administrators see it, in whatever status; NOT_FOUND when there is none."""
    auth_flow: flows.AuthFlow | None = query(auth.auth_flow)
    """An open or lately closed flow, for an app that was restarted; NOT_FOUND when there is none."""


class Viewer:
    user: User = batched(auth.viewer_users)
    """Yourself."""
    session: Session = field(auth.viewer_session)
    """The session this request belongs to."""
    sessions: SessionConnection = connection(auth.viewer_sessions, status="Only sessions with this status.")
    """Your sessions, latest use first."""
    devices: profile.DeviceConnection = connection(auth.viewer_devices)
    """Devices you signed in on, latest sign-in first."""
    auth_keys: keys.AuthKeyConnection = connection(auth.viewer_keys)
    """Your passkeys and device keys, newest first."""
    data_export: security.DataExport | None = field(auth.viewer_data_export)
    """The latest export you asked for; null when there is none, or no longer."""
    security_events: security.SecurityEventConnection = connection(auth.viewer_security_events)
    """What happened to the safety of your account, newest first."""


anonymous: dict[str, Any] = {"owner": auth.device_owner, "secrets": ("tokens",), "reissue": auth.reissue}
finishing: dict[str, Any] = {**anonymous, "secrets": ("tokens", "backup_codes")}


act: dict[str, Any] = {"roles": (Role.ADMIN,), "fresh": True}


class Mutation:
    sign_up = mutation(
        auth.sign_up,
        flows.SignUpInput,
        flows.SignUpPayload,
        owner=auth.device_owner,
        prepare=auth.check_sign_up,
    )
    """Open an account; always answers with a flow."""
    sign_in = mutation(
        auth.sign_in, flows.SignInInput, flows.SignInPayload, **anonymous, prepare=auth.check_password
    )
    """Sign in with email and password: tokens, or a flow when more is to be proven."""
    verify_otp = mutation(
        auth.verify_otp, flows.VerifyOtpInput, flows.VerifyOtpPayload, prepare=auth.begin_proof, **finishing
    )
    """Finish a flow with the code that was sent."""
    verify_backup_code = mutation(
        auth.verify_backup_code,
        flows.VerifyBackupCodeInput,
        flows.VerifyBackupCodePayload,
        prepare=auth.begin_backup_proof,
        **finishing,
    )
    """Finish a flow with a backup code."""
    resend_otp = mutation(
        auth.resend_otp, flows.ResendOtpInput, flows.ResendOtpPayload, owner=auth.device_owner
    )
    """Send a new code; the last one is void."""
    request_password_reset = mutation(
        auth.request_password_reset,
        changes.RequestPasswordResetInput,
        changes.RequestPasswordResetPayload,
        owner=auth.device_owner,
    )
    """Mail a link that sets a new password; succeeds whether or not there is such an account."""
    reset_password = mutation(
        auth.reset_password,
        changes.ResetPasswordInput,
        changes.ResetPasswordPayload,
        owner=auth.device_owner,
        prepare=auth.check_reset,
    )
    """Set a new password by the token of a link; ends all sessions. The second factor is still asked for."""
    change_password = mutation(
        auth.change_password,
        changes.ChangePasswordInput,
        changes.ChangePasswordPayload,
        prepare=auth.check_change,
    )
    """Set a new password; ends all other sessions."""
    enable_two_factor = mutation(
        auth.enable_two_factor, changes.EnableTwoFactorInput, changes.EnableTwoFactorPayload, fresh=True
    )
    """Turn the second factor on, or change it; `verifyOtp` finishes it."""
    disable_two_factor = mutation(
        auth.disable_two_factor, changes.DisableTwoFactorInput, changes.DisableTwoFactorPayload, fresh=True
    )
    """Turn the second factor off."""
    regenerate_backup_codes = mutation(
        auth.regenerate_backup_codes,
        changes.RegenerateBackupCodesInput,
        changes.RegenerateBackupCodesPayload,
        fresh=True,
        secrets=("backup_codes",),
    )
    """New backup codes in place of the old."""
    change_email = mutation(
        auth.change_email, changes.ChangeEmailInput, changes.ChangeEmailPayload, fresh=True
    )
    """Sign in with another address from then on; `verifyOtp` finishes it."""
    change_phone = mutation(
        auth.change_phone, changes.ChangePhoneInput, changes.ChangePhonePayload, fresh=True
    )
    """Have another phone number; `verifyOtp` finishes it."""
    refresh_session = mutation(
        auth.refresh, sessions.RefreshSessionInput, sessions.RefreshSessionPayload, **anonymous
    )
    """New tokens for old; safe to repeat when the answer was lost."""
    sign_out = mutation(
        auth.sign_out, sessions.SignOutInput, sessions.SignOutPayload, owner=auth.sign_out_owner
    )
    """End a session; works with an expired access token."""
    step_up = mutation(
        auth.step_up,
        stepup.StepUpInput,
        stepup.StepUpPayload,
        secrets=("tokens",),
        reissue=auth.reissue,
        prepare=auth.prepare_step_up,
    )
    """Prove again who you are; what answered STEP_UP_REQUIRED may then be sent again, with its key."""
    revoke_session = mutation(auth.revoke_session, sessions.RevokeSessionInput, sessions.RevokeSessionPayload)
    """End one of your sessions on another device."""
    revoke_other_sessions = mutation(
        auth.revoke_other_sessions,
        sessions.RevokeOtherSessionsInput,
        sessions.RevokeOtherSessionsPayload,
        fresh=True,
    )
    """End all of your sessions but this one."""
    begin_key_sign_in = mutation(
        auth.begin_key_sign_in,
        keys.BeginKeySignInInput,
        keys.BeginKeySignInPayload,
        owner=auth.device_owner,
    )
    """Ask for a challenge to sign, to sign in or step up with a key."""
    finish_key_sign_in = mutation(
        auth.finish_key_sign_in,
        keys.FinishKeySignInInput,
        keys.FinishKeySignInPayload,
        prepare=auth.prepare_key_sign_in,
        **anonymous,
    )
    """Sign in with a signed challenge; it counts as two factors."""
    begin_key_enrolment = mutation(
        auth.begin_key_enrolment, keys.BeginKeyEnrolmentInput, keys.BeginKeyEnrolmentPayload, fresh=True
    )
    """Ask for a challenge to make a key with."""
    finish_key_enrolment = mutation(
        auth.finish_key_enrolment,
        keys.FinishKeyEnrolmentInput,
        keys.FinishKeyEnrolmentPayload,
        prepare=auth.prepare_key_enrolment,
        fresh=True,
    )
    """Add a passkey or device key, at most ten."""
    delete_auth_key = mutation(auth.delete_auth_key, keys.DeleteAuthKeyInput, keys.DeleteAuthKeyPayload)
    """Remove a key of yours."""
    update_profile = mutation(auth.update_profile, profile.UpdateProfileInput, profile.UpdateProfilePayload)
    """Change what you say about yourself."""
    register_push_token = mutation(
        auth.register_push_token, profile.RegisterPushTokenInput, profile.RegisterPushTokenPayload
    )
    """Let a device of yours be reached by push."""
    request_data_export = mutation(
        auth.request_data_export,
        security.RequestDataExportInput,
        security.RequestDataExportPayload,
        fresh=True,
    )
    """Ask for everything that is kept about you; a link is mailed."""
    request_account_deletion = mutation(
        auth.request_account_deletion,
        security.RequestAccountDeletionInput,
        security.RequestAccountDeletionPayload,
        fresh=True,
    )
    """Delete your account in 30 days, everywhere; signing in meanwhile calls it off."""
    cancel_account_deletion = mutation(
        auth.cancel_account_deletion,
        security.CancelAccountDeletionInput,
        security.CancelAccountDeletionPayload,
    )
    """Keep the account after all."""

    suspend_user = mutation(
        administration.suspend_user, admin.SuspendUserInput, admin.SuspendUserPayload, **act
    )
    """Close somebody's account for now."""
    unsuspend_user = mutation(
        administration.unsuspend_user, admin.UnsuspendUserInput, admin.UnsuspendUserPayload, **act
    )
    """Open a closed account again."""
    lock_user = mutation(administration.lock_user, admin.LockUserInput, admin.LockUserPayload, **act)
    """Let nobody sign in to an account for a while."""
    unlock_user = mutation(administration.unlock_user, admin.UnlockUserInput, admin.UnlockUserPayload, **act)
    """Lift the lock of an account."""
    assign_roles = mutation(
        administration.assign_roles, admin.AssignRolesInput, admin.AssignRolesPayload, **act
    )
    """Say what a person may do, and where they belong."""
    revoke_user_sessions = mutation(
        administration.revoke_user_sessions,
        admin.RevokeUserSessionsInput,
        admin.RevokeUserSessionsPayload,
        **act,
    )
    """End a person's sessions, or everybody's."""


class Subscription:
    session_events: events.SessionEvent = subscription(
        live.session_events, after="Resume after this event; from now on when left out."
    )
    """What happens to your sessions and the safety of your account."""
