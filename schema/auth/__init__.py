"""Authentication and identity, as clients see them."""

from core.binding import connection, field, mutation, query, subscription
from resolvers import auth
from schema.auth import events, flows, keys, profile, security, sessions, stepup
from schema.auth.accounts import User
from schema.auth.keys import AuthKey
from schema.auth.security import SecurityEvent
from schema.auth.sessions import Session, SessionConnection
from subscriptions import auth as live

__all__ = ["AuthKey", "Mutation", "Query", "SecurityEvent", "Session", "Subscription", "User", "Viewer"]


class Query:
    user: User | None = query(auth.user)
    """A person; NOT_FOUND when unknown, deleted or hidden from you."""


class Viewer:
    user: User = field(auth.viewer_user)
    """Yourself."""
    session: Session = field(auth.viewer_session)
    """The session this request belongs to."""
    sessions: SessionConnection = connection(auth.viewer_sessions, status="Only sessions with this status.")
    """Your sessions, latest use first."""
    devices: profile.DeviceConnection = connection(auth.viewer_devices)
    """Devices you signed in on, latest sign-in first."""
    auth_keys: keys.AuthKeyConnection = connection(auth.viewer_keys)
    """Your passkeys and device keys, newest first."""
    security_events: security.SecurityEventConnection = connection(auth.viewer_security_events)
    """What happened to the safety of your account, newest first."""


anonymous = {"owner": auth.device_owner, "secrets": ("tokens",), "reissue": auth.reissue}


class Mutation:
    sign_up = mutation(auth.sign_up, flows.SignUpInput, flows.SignUpPayload, owner=auth.device_owner)
    """Open an account; always answers with a flow."""
    verify_otp = mutation(auth.verify_otp, flows.VerifyOtpInput, flows.SignInPayload, **anonymous)
    """Finish a flow with the code that was sent."""
    sign_in = mutation(auth.sign_in, flows.SignInInput, flows.SignInPayload, **anonymous)
    """Sign in with email and password."""
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


class Subscription:
    session_events: events.SessionEvent = subscription(
        live.session_events, after="Resume after this event; from now on when left out."
    )
    """What happens to your sessions and the safety of your account."""
