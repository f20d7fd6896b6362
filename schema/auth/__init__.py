"""Authentication and identity, as clients see them."""

from functools import partial
from typing import Any

from core import nodes
from core.graphql import Edge, batched, field, mutation, query
from core.ids import Id
from resolvers.auth import (
    accounts,
    admin,
    changes,
    devices,
    exports,
    factors,
    flows,
    keys,
    leaving,
    people,
    profile,
    sessions,
    stepup,
    verification,
)
from schema.auth import audited, payloads
from schema.auth.audited import administer
from schema.auth.grants import GrantMutations, GrantQueries, GrantsOfViewer
from schema.auth.types import (
    Account,
    AuthFlow,
    AuthKey,
    Device,
    DeviceInput,
    Session,
    TokenPair,
    User,
)
from schema.auth.types import DataExport as DataExport
from stores.auth import Role

__all__ = ["Account", "AuthKey", "Mutation", "Query", "SecurityEvent", "Session", "User", "Viewer"]


AREA = "accounts"


class Query(GrantQueries):
    user: User | None = query(nodes.reader("user"))
    """Person by their id; null when unknown, deleted or hidden from you."""
    account: Account | None = query(admin.account, roles=(Role.ADMIN,), by="Key of the account, one of them.")
    """Account by one of its keys, in whatever status but DELETED; null when there is none."""
    auth_flow: AuthFlow | None = query(nodes.reader("flow"))
    """Flow by its id, open or closed within a day, for an app that was restarted; null when there is none."""


class Viewer(GrantsOfViewer):
    user: User = batched(people.viewer_users)
    """Person who is signed in, as others see them."""
    account: Account = batched(people.viewer_accounts)
    """Private half of your account: sign-in, settings, sessions, devices and keys."""
    session: Session = field(people.viewer_session)
    """Session that this request belongs to."""


ENDED_SESSIONS = (int, "Number of sessions that ended; null when refused.")

anonymous = partial(mutation, owner=devices.device_owner, takes={"device": DeviceInput})
tokens: dict[str, Any] = {"secrets": ("tokens",), "reissue": sessions.reissue}
finishing: dict[str, Any] = {**tokens, "secrets": ("tokens", "backup_codes")}


class Mutation(GrantMutations):
    sign_up = anonymous(
        accounts.sign_up,
        refuses="CAPTCHA_REQUIRED INVALID_FORMAT LIMIT_REACHED PASSWORD_WEAK REQUIRED TOO_LONG",
        returns=payloads.FLOW,
        prepare=accounts.check_sign_up,
        id="Id of the new user, minted by the app so that queued mutations can name the account.",
        email="Email address to sign in with; a code is sent there.",
        password=payloads.PASSWORD,
        first_name="First name, at most 100 characters.",
        last_name="Family name, at most 100 characters.",
        locale=payloads.LANGUAGE,
        time_zone=payloads.TIME_ZONE,
        accepted_terms_version="Version of the terms that the person accepted.",
        device=payloads.DEVICE,
        captcha_token=payloads.CAPTCHA,
    )
    """Sign up for an account. The answer is a flow to finish with `verifyOtp`, whether or not the address was
    free: only its mailbox learns that."""
    sign_in = anonymous(
        accounts.sign_in,
        refuses="ACCOUNT_LOCKED ACCOUNT_SUSPENDED CAPTCHA_REQUIRED CREDENTIALS_INVALID EXPIRED LIMIT_REACHED",
        returns={
            **payloads.TOKENS,
            "auth_flow": (AuthFlow, "Flow to finish first; null when there are tokens, and when refused."),
        },
        prepare=accounts.check_password,
        email="Email address of the account.",
        password="Password of the account.",
        device=payloads.DEVICE,
        captcha_token=payloads.CAPTCHA,
        **tokens,
    )
    """Sign in with email and password: the answer is tokens, or a flow when a second factor or the address
    is to be proven first. Calls off a scheduled deletion of the account."""
    verify_otp = anonymous(
        verification.verify_otp,
        refuses=payloads.PROVING,
        returns={
            **payloads.PROVEN,
            "backup_codes": (
                list[str],
                "Backup codes for when no other arrives, ten: shown once, when the second factor was turned "
                "on; null otherwise, and in a replay.",
            ),
        },
        prepare=flows.begin_proof,
        code="One-time code that was received, six digits.",
        device_id=payloads.OF_FLOW,
        **finishing,
    )
    """Finish a flow with the code that was sent: tokens, or the finished flow where it gives none."""
    verify_backup_code = anonymous(
        verification.verify_backup_code,
        refuses=payloads.PROVING,
        returns=payloads.PROVEN,
        prepare=factors.begin_backup_proof,
        code="Backup code of ten letters and digits; case, blanks and hyphens do not matter.",
        device_id=payloads.OF_FLOW,
        **finishing,
    )
    """Finish a flow with a backup code in place of the one that was sent; the backup code is spent."""
    resend_otp = anonymous(
        factors.resend_otp,
        refuses="DELIVERY_UNAVAILABLE EXPIRED FLOW_SUPERSEDED LIMIT_REACHED",
        returns={"auth_flow": (AuthFlow, "Flow with its new `resendAllowedAt`; also when refused.")},
        method="Delivery method to change to, where the flow allows another; the last one when left out.",
        device_id=payloads.OF_FLOW,
    )
    """Resend the code of a flow: a new one is sent, and the last one is void."""
    request_password_reset = anonymous(
        changes.request_password_reset,
        refuses="CAPTCHA_REQUIRED INVALID_FORMAT",
        returns={},
        email="Email address of the account.",
        device_id=payloads.DEVICE_ID,
        captcha_token=payloads.CAPTCHA,
    )
    """Request a mail with a link to set a new password; succeeds even without such an account."""
    confirm_password_reset = anonymous(
        changes.confirm_password_reset,
        refuses="EXPIRED PASSWORD_WEAK",
        returns={},
        prepare=changes.check_reset,
        token="Token of the mailed link, good once and for 30 minutes.",
        new_password=payloads.PASSWORD,
        device_id=payloads.DEVICE_ID,
    )
    """Set a new password by the token of a mailed link. Ends all sessions and lifts the lock after failed
    attempts; signing in still asks for the second factor."""
    set_password = mutation(
        changes.set_password,
        refuses="ACCOUNT_LOCKED CREDENTIALS_INVALID PASSWORD_WEAK",
        returns={**payloads.ACCOUNT, **payloads.ENDED},
        prepare=changes.check_change,
        current_password="Password that the account has now.",
        new_password=payloads.PASSWORD,
    )
    """Set a new password; ends all of your other sessions."""
    enable_two_factor = mutation(
        factors.enable_two_factor,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        method="Delivery method of the codes; PUSH reaches your other devices.",
        destination="Destination of the codes; phone number or email address of the account when left out.",
    )
    """Enable the second factor, or change it: `verifyOtp` finishes that and gives new backup codes."""
    disable_two_factor = mutation(factors.disable_two_factor, returns=payloads.ACCOUNT, fresh=True)
    """Disable the second factor; its backup codes are void."""
    regenerate_backup_codes = mutation(
        factors.regenerate_backup_codes,
        refuses="WRONG_STATUS",
        returns={
            "backup_codes": (
                list[str],
                "Backup codes, ten, to show at once: null in a replay, so generate others if the answer was "
                "lost.",
            ),
            **payloads.ACCOUNT,
        },
        fresh=True,
        secrets=("backup_codes",),
    )
    """Regenerate the backup codes: ten new ones, and all former ones are void."""
    request_email_change = mutation(
        changes.request_email_change,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        email="New address to sign in with; a code is sent there, and a notice to the present one.",
    )
    """Request another email address; `verifyOtp` puts it in place. Whether it was free is not told."""
    request_phone_change = mutation(
        factors.request_phone_change,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        phone="New phone number with + and country code; a code is sent there.",
    )
    """Request another phone number; `verifyOtp` puts it in place."""
    refresh_session = anonymous(
        sessions.refresh,
        refuses="EXPIRED REFRESH_REUSED SESSION_EXPIRED",
        returns=payloads.TOKENS,
        refresh_token="Refresh token of the session, the latest one.",
        device_id="Id of the device that the token was given to.",
        **tokens,
    )
    """Refresh the tokens of a session: both are new. Safe to repeat when the answer was lost; a refresh token
    older than the last ends the session."""
    sign_out = mutation(
        sessions.sign_out,
        returns={
            "session": (Session, "Session that ended, as it is now; null when refused, and in a replay."),
            "removed_session_id": (Id, "Id of the session that left the list of active ones."),
        },
        owner=sessions.sign_out_owner,
        refresh_token="Refresh token of the session to end; the session that sends this when left out.",
    )
    """Sign out by ending a session; an expired access token will do."""
    step_up = mutation(
        stepup.step_up,
        refuses="ACCOUNT_LOCKED CODE_INVALID CREDENTIALS_INVALID EXPIRED FLOW_SUPERSEDED LIMIT_REACHED "
        "SIGNATURE_INVALID",
        returns={
            "tokens": (TokenPair, "Tokens for sensitive mutations, for ten minutes; null until proven."),
            "session": Session,
            "user": User,
            "account": Account,
            "auth_flow": (
                AuthFlow,
                "Flow of the code to give, with its `remainingAttemptCount` after a wrong one; else null.",
            ),
        },
        prepare=stepup.prepare_step_up,
        proof="Proof of who you are: one of several.",
        **tokens,
    )
    """Confirm again who you are; a mutation that was refused with STEP_UP_REQUIRED may then be sent again,
    with the same idempotency key."""
    revoke_session = mutation(
        sessions.revoke_session,
        returns={
            "session": (Session, "Session that ended, as it is now; null when refused."),
            "removed_session_id": (Id, "Id of the session that left the list of active ones."),
        },
    )
    """Revoke one of your sessions on another device."""
    revoke_other_sessions = mutation(sessions.revoke_other_sessions, returns=payloads.ENDED, fresh=True)
    """Revoke all of your sessions but this one."""
    begin_key_sign_in = anonymous(
        keys.begin_key_sign_in,
        returns=payloads.CHALLENGE,
        kind="Kind of key to sign in with.",
        hint="Hint which keys will do, if the app knows; any passkey when left out.",
        device=payloads.DEVICE,
    )
    """Begin a sign-in or a step-up with a key: the answer is a challenge to sign."""
    finish_key_sign_in = anonymous(
        keys.finish_key_sign_in,
        refuses="ACCOUNT_LOCKED ACCOUNT_SUSPENDED EXPIRED SIGNATURE_INVALID",
        returns=payloads.TOKENS,
        prepare=keys.prepare_key_sign_in,
        key_id="Id of the key here, or its credential id (base64url).",
        signature="Signature of the challenge, by a key of one kind or the other.",
        device="Device that began the sign-in, as the app describes it.",
        **tokens,
    )
    """Finish a sign-in by the challenge that a key signed; that counts as two factors."""
    begin_key_enrollment = mutation(
        keys.begin_key_enrollment,
        refuses="LIMIT_REACHED",
        returns=payloads.CHALLENGE,
        fresh=True,
        kind="Kind of the key to enroll.",
    )
    """Begin the enrollment of a key: the answer is a challenge for the new key to sign."""
    finish_key_enrollment = mutation(
        keys.finish_key_enrollment,
        refuses="ALREADY_DONE EXPIRED LIMIT_REACHED REQUIRED SIGNATURE_INVALID TOO_LONG",
        returns={"auth_key": AuthKey, "auth_key_edge": Edge[AuthKey]},
        prepare=keys.prepare_key_enrollment,
        fresh=True,
        id="Id of the new key, minted by the app or, when left out, by the server.",
        name="Name of the key, 1 to 100 characters.",
        key="New key of one kind or the other.",
    )
    """Finish the enrollment of a passkey or device key; a person has at most ten."""
    delete_auth_key = mutation(keys.delete_auth_key, returns={"deleted_auth_key_id": Id})
    """Delete a key of yours, which signs in no more; sessions begun with it go on."""
    update_profile = mutation(
        profile.update_profile,
        refuses="HANDLE_TAKEN INVALID_FORMAT TOO_LONG UPLOAD_REJECTED",
        returns={"user": (User, "Your profile, as changed; on CONFLICT without your change.")},
        input="Changes to your profile.",
        first_name="First name, at most 100 characters.",
        last_name="Family name, at most 100 characters.",
        handle="Handle of 3 to 30 letters, digits, dots or underscores; unique, kept in lower case.",
        bio="Words about yourself, at most 500 characters.",
        avatar_upload_id="Id of your upload for AVATAR; while it is unfinished the former picture stays.",
    )
    """Update the profile that others see of you."""
    update_account = mutation(
        profile.update_account,
        refuses="INVALID_FORMAT TOO_LONG",
        returns=payloads.ACCOUNT,
        input="Settings of your account to change.",
        locale=payloads.LANGUAGE,
        time_zone=payloads.TIME_ZONE,
    )
    """Update the language and time zone of your account."""
    set_push_token = mutation(
        devices.set_push_token,
        refuses="REQUIRED TOO_LONG",
        returns={"device": (Device, "Device with `pushEnabled` as it is now; null when refused.")},
        device_id="Id of a device on which you have signed in.",
        token="Push token of the platform, at most 4,096 characters; null to send no more messages there.",
    )
    """Set the push token of a device of yours, to which messages are then sent."""
    request_data_export = mutation(
        exports.request_data_export, returns={"data_export": DataExport, **payloads.ACCOUNT}, fresh=True
    )
    """Request an export of everything kept about you; a link is mailed when it is ready. While one is being
    built the answer is that one."""
    request_account_deletion = mutation(
        leaving.request_account_deletion,
        refuses="LEGAL_HOLD",
        returns={**payloads.ACCOUNT, **payloads.ENDED},
        fresh=True,
    )
    """Request the deletion of your account, everywhere, in 30 days, which a legal hold puts off. Ends your
    other sessions; `cancelAccountDeletion` or signing in meanwhile calls it off."""
    cancel_account_deletion = mutation(leaving.cancel_account_deletion, returns=payloads.ACCOUNT)
    """Cancel the deletion of your account, which stays as it was."""

    suspend_user = administer(
        admin.suspend_user,
        audited.SUSPENDED,
        refuses="REQUIRED TOO_LONG WRONG_STATUS",
        returns=payloads.ACCOUNT,
    )
    """Suspend an active account until `unsuspendUser`; ends its sessions."""
    unsuspend_user = administer(
        admin.unsuspend_user,
        audited.UNSUSPENDED,
        refuses="REQUIRED TOO_LONG WRONG_STATUS",
        returns=payloads.ACCOUNT,
    )
    """Unsuspend an account, whose owner may sign in again."""
    lock_user = administer(
        admin.lock_user,
        audited.LOCKED,
        refuses="OUT_OF_RANGE REQUIRED TOO_LONG",
        returns=payloads.ACCOUNT,
        lock_minutes="Duration of the lock in minutes, from 1 to 43,200 (30 days).",
    )
    """Lock an account for a while, so that nobody can sign in to it; its sessions go on."""
    unlock_user = administer(
        admin.unlock_user, audited.UNLOCKED, refuses="REQUIRED TOO_LONG", returns=payloads.ACCOUNT
    )
    """Unlock an account, whether an administrator or failed attempts locked it."""
    set_user_roles = administer(
        admin.set_user_roles,
        audited.ROLES_ASSIGNED,
        refuses="INVALID_FORMAT REQUIRED TOO_LONG",
        returns=payloads.ACCOUNT,
        takes={"roles": (list[Role], "Roles of the person, all of them; MEMBER is added when left out.")},
        expected_version="Version of the account that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
        organization="Organization in lower-case letters, digits and dashes.",
        job_role="Job title in the organization, at most 100 characters.",
    )
    """Set the roles, organization and job title of a person, whose devices then refresh their tokens."""
    revoke_user_sessions = administer(
        admin.revoke_user_sessions,
        audited.SESSIONS_REVOKED,
        refuses="REQUIRED TOO_LONG",
        returns={"ended_session_count": ENDED_SESSIONS},
        user_id="Id of the person whose sessions end.",
    )
    """Revoke all sessions of a person, but for the one that asks; the person may sign in again."""
    revoke_all_sessions = administer(
        admin.revoke_all_sessions,
        audited.EVERYBODY_REVOKED,
        refuses="REQUIRED TOO_LONG",
        returns={"ended_session_count": ENDED_SESSIONS},
    )
    """Revoke the sessions of everybody, but for the one that asks: for an emergency."""
