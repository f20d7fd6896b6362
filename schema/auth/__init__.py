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
from schema.auth import payloads
from schema.auth.types import (
    Account,
    AuthFlow,
    AuthKey,
    DataExport,
    Device,
    DeviceInput,
    Session,
    TokenPair,
    User,
)
from stores.auth import Role

__all__ = ["Account", "AuthKey", "Mutation", "Query", "SecurityEvent", "Session", "User", "Viewer"]


AREA = "accounts"


class Query:
    user: User | None = query(nodes.reader("user"))
    """Person by their id; null when unknown, deleted or hidden from you."""
    account: Account | None = query(
        admin.account, roles=(Role.ADMIN,), by="Key of the account, one of several."
    )
    """Account in whatever status; null when there is none."""
    auth_flow: AuthFlow | None = query(nodes.reader("flow"))
    """Open or lately closed flow, for an app that was restarted; null when there is none."""


class Viewer:
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
administer = partial(
    mutation, roles=(Role.ADMIN,), fresh=True, reason="Why, for the record; 1 to 500 characters."
)


class Mutation:
    sign_up = anonymous(
        accounts.sign_up,
        refuses="CAPTCHA_REQUIRED INVALID_FORMAT LIMIT_REACHED PASSWORD_WEAK REQUIRED TOO_LONG",
        returns=payloads.FLOW,
        prepare=accounts.check_sign_up,
        id="Id of the new user, minted by the app so that queued mutations can name the account.",
        email="Address; a code is sent there.",
        password=payloads.PASSWORD,
        first_name="Given name, at most 100 characters.",
        last_name="Family name, at most 100 characters.",
        locale="Language tag (BCP 47).",
        time_zone="IANA time zone.",
        accepted_terms_version="Version of the terms the person accepted.",
        device="The device that asks.",
        captcha_token=payloads.CAPTCHA,
    )
    """Open an account; always answers with a flow, whether or not the address was free."""
    sign_in = anonymous(
        accounts.sign_in,
        refuses="ACCOUNT_LOCKED ACCOUNT_SUSPENDED CAPTCHA_REQUIRED CREDENTIALS_INVALID EXPIRED LIMIT_REACHED",
        returns={
            **payloads.TOKENS,
            "auth_flow": (AuthFlow, "A code to enter first; null when `tokens` are given."),
        },
        prepare=accounts.check_password,
        email="The account's address.",
        password="Its password.",
        device="The device that asks.",
        captcha_token=payloads.CAPTCHA,
        **tokens,
    )
    """Sign in with email and password: tokens, or a flow when more is to be proven."""
    verify_otp = anonymous(
        verification.verify_otp,
        refuses=payloads.PROVING,
        returns={
            **payloads.PROVEN,
            "backup_codes": (
                list[str],
                "Ten codes for when no other arrives, once the second factor is on: show them, they come "
                "once.",
            ),
        },
        prepare=flows.begin_proof,
        code="The digits received.",
        device_id=payloads.OF_FLOW,
        **finishing,
    )
    """Finish a flow with the code that was sent: tokens, or the finished flow where it gives none."""
    verify_backup_code = anonymous(
        verification.verify_backup_code,
        refuses=payloads.PROVING,
        returns=payloads.PROVEN,
        prepare=factors.begin_backup_proof,
        code="Ten letters and digits; case, blanks and hyphens do not matter.",
        device_id=payloads.OF_FLOW,
        **finishing,
    )
    """Finish a flow with a backup code in place of the one that was sent."""
    resend_otp = anonymous(
        factors.resend_otp,
        refuses="DELIVERY_UNAVAILABLE EXPIRED FLOW_SUPERSEDED LIMIT_REACHED",
        returns={"auth_flow": (AuthFlow, "The flow, with when another may be sent; also when refused.")},
        method="Another way for it to travel, where the flow allows one.",
        device_id=payloads.OF_FLOW,
    )
    """Send a new code; the last one is void."""
    request_password_reset = anonymous(
        changes.request_password_reset,
        refuses="CAPTCHA_REQUIRED INVALID_FORMAT",
        returns={},
        email="The account's address.",
        device_id="The device that asks.",
        captcha_token=payloads.CAPTCHA,
    )
    """Mail a link that sets a new password; succeeds whether or not there is such an account."""
    confirm_password_reset = anonymous(
        changes.confirm_password_reset,
        refuses="EXPIRED PASSWORD_WEAK",
        returns={},
        prepare=changes.check_reset,
        token="From the link; good for 30 minutes, once.",
        new_password=payloads.PASSWORD,
        device_id="The device that asks.",
    )
    """Set a new password by the token of a link; ends all sessions and lifts a lock. The second factor is
    still asked for."""
    set_password = mutation(
        changes.set_password,
        refuses="ACCOUNT_LOCKED CREDENTIALS_INVALID PASSWORD_WEAK",
        returns={**payloads.ACCOUNT, **payloads.ENDED},
        prepare=changes.check_change,
        current_password="The present one.",
        new_password=payloads.PASSWORD,
    )
    """Set a new password; ends all other sessions."""
    enable_two_factor = mutation(
        factors.enable_two_factor,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        method="SMS, EMAIL, or PUSH to your other devices.",
        destination="Destination of the codes; the account's present one when left out.",
    )
    """Turn the second factor on, or change it; `verifyOtp` finishes it and gives backup codes."""
    disable_two_factor = mutation(factors.disable_two_factor, returns=payloads.ACCOUNT, fresh=True)
    """Turn the second factor off; its backup codes go with it."""
    regenerate_backup_codes = mutation(
        factors.regenerate_backup_codes,
        refuses="WRONG_STATUS",
        returns={
            "backup_codes": (
                list[str],
                "Show them: they come once, and are null in a replay. If the answer was lost, ask for new "
                "ones.",
            ),
            **payloads.ACCOUNT,
        },
        fresh=True,
        secrets=("backup_codes",),
    )
    """Ten new backup codes in place of the old."""
    request_email_change = mutation(
        changes.request_email_change,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        email="A code is sent there, and word of it to the old one.",
    )
    """Request another address to sign in with; `verifyOtp` finishes it. Whether it was free is not told."""
    request_phone_change = mutation(
        factors.request_phone_change,
        refuses="INVALID_FORMAT LIMIT_REACHED",
        returns=payloads.FLOW,
        fresh=True,
        phone="With + and country code; a code is sent there.",
    )
    """Request another phone number; `verifyOtp` finishes it."""
    refresh_session = anonymous(
        sessions.refresh,
        refuses="EXPIRED REFRESH_REUSED SESSION_EXPIRED",
        returns=payloads.TOKENS,
        refresh_token="The latest refresh token of the session.",
        device_id="The device it was given to.",
        **tokens,
    )
    """New tokens for old; safe to repeat when the answer was lost."""
    sign_out = mutation(
        sessions.sign_out,
        returns={
            "session": (Session, "The session as it is now; null when refused, and in a replay."),
            "removed_session_id": (Id, "Id of the session, which is active no more."),
        },
        owner=sessions.sign_out_owner,
        refresh_token="The session's refresh token; the bearer's session when left out.",
    )
    """End a session; works with an expired access token."""
    step_up = mutation(
        stepup.step_up,
        refuses="ACCOUNT_LOCKED CODE_INVALID CREDENTIALS_INVALID EXPIRED FLOW_SUPERSEDED LIMIT_REACHED "
        "SIGNATURE_INVALID",
        returns={
            "tokens": (TokenPair, "Tokens good for sensitive mutations for ten minutes; null when refused."),
            "session": Session,
            "user": User,
            "account": Account,
            "auth_flow": (
                AuthFlow,
                "When a code was asked for; after a wrong one it tells the attempts left.",
            ),
        },
        prepare=stepup.prepare_step_up,
        proof="Proof of who you are, one of several.",
        **tokens,
    )
    """Prove again who you are; what answered STEP_UP_REQUIRED may then be sent again, with its key."""
    revoke_session = mutation(
        sessions.revoke_session,
        returns={
            "session": (Session, "The session as it is now; null when refused."),
            "removed_session_id": (Id, "Id of the session, which is active no more."),
        },
    )
    """Revoke one of your sessions on another device."""
    revoke_other_sessions = mutation(sessions.revoke_other_sessions, returns=payloads.ENDED, fresh=True)
    """End all of your sessions but this one."""
    begin_key_sign_in = anonymous(
        keys.begin_key_sign_in,
        returns=payloads.CHALLENGE,
        kind="With what kind of key.",
        hint="Hint which keys will do, if the app knows it; any passkey when left out.",
        device="The device that asks.",
    )
    """Ask for a challenge to sign, to sign in or step up with a key."""
    finish_key_sign_in = anonymous(
        keys.finish_key_sign_in,
        refuses="ACCOUNT_LOCKED ACCOUNT_SUSPENDED EXPIRED SIGNATURE_INVALID",
        returns=payloads.TOKENS,
        prepare=keys.prepare_key_sign_in,
        key_id="The key's id here, or its credential id (base64url).",
        signature="The signature (base64url); of a device key: ASN.1 DER, over the challenge's 32 bytes.",
        client_data_json="A passkey's `clientDataJSON` (base64url).",
        authenticator_data="A passkey's `authenticatorData` (base64url).",
        device="The device that asked.",
        **tokens,
    )
    """Sign in with a signed challenge; it counts as two factors."""
    begin_key_enrollment = mutation(
        keys.begin_key_enrollment,
        refuses="LIMIT_REACHED",
        returns=payloads.CHALLENGE,
        fresh=True,
        kind="What kind of key it will be.",
    )
    """Begin the enrollment of a key: the answer is a challenge to make it with."""
    finish_key_enrollment = mutation(
        keys.finish_key_enrollment,
        refuses="ALREADY_DONE EXPIRED LIMIT_REACHED REQUIRED SIGNATURE_INVALID TOO_LONG",
        returns={"auth_key": AuthKey, "auth_key_edge": Edge[AuthKey]},
        prepare=keys.prepare_key_enrollment,
        fresh=True,
        name="Name of the key, 1 to 100 characters.",
        key="New key, of one kind or the other.",
    )
    """Add a passkey or device key, at most ten."""
    delete_auth_key = mutation(keys.delete_auth_key, returns={"deleted_auth_key_id": Id})
    """Remove a key of yours."""
    update_profile = mutation(
        profile.update_profile,
        refuses="HANDLE_TAKEN INVALID_FORMAT TOO_LONG UPLOAD_REJECTED",
        returns={"user": (User, "You, as you are now; with CONFLICT too. Null when refused otherwise.")},
        input="What to change; what is left out stays, null clears it.",
        first_name="Given name, at most 100 characters.",
        last_name="Family name, at most 100 characters.",
        handle="3 to 30 letters, digits, dots or underscores; unique, kept in small letters.",
        bio="A few words about yourself, at most 500 characters.",
        avatar_upload_id="Your upload for AVATAR; it may be unfinished: the former picture stays until then.",
    )
    """Change what you say about yourself."""
    update_account = mutation(
        profile.update_account,
        refuses="INVALID_FORMAT TOO_LONG",
        returns=payloads.ACCOUNT,
        input="Settings to change; what is left out stays.",
        locale="Language tag (BCP 47).",
        time_zone="IANA time zone.",
    )
    """Change the language and time zone of your account."""
    set_push_token = mutation(
        devices.set_push_token,
        refuses="REQUIRED TOO_LONG",
        returns={"device": (Device, "The device with `pushEnabled`; null when refused.")},
        device_id="The device; you must have signed in on it.",
        token="Push token of the platform, at most 4,096 characters; null: do not reach it any more.",
    )
    """Set the push token of a device of yours, so that it can be reached."""
    request_data_export = mutation(
        exports.request_data_export, returns={"data_export": DataExport}, fresh=True
    )
    """Ask for everything that is kept about you; a link is mailed."""
    request_account_deletion = mutation(
        leaving.request_account_deletion,
        returns={"account": (Account, "Your account with `deletionDueAt`; null when refused.")},
        fresh=True,
    )
    """Delete your account in 30 days, everywhere; signing in meanwhile calls it off."""
    cancel_account_deletion = mutation(leaving.cancel_account_deletion, returns=payloads.ACCOUNT)
    """Keep the account after all."""

    suspend_user = administer(
        admin.suspend_user, refuses="REQUIRED TOO_LONG WRONG_STATUS", returns=payloads.ACCOUNT
    )
    """Close somebody's account for now; ends their sessions."""
    unsuspend_user = administer(
        admin.unsuspend_user, refuses="REQUIRED TOO_LONG WRONG_STATUS", returns=payloads.ACCOUNT
    )
    """Open a closed account again."""
    lock_user = administer(
        admin.lock_user,
        refuses="OUT_OF_RANGE REQUIRED TOO_LONG",
        returns=payloads.ACCOUNT,
        lock_minutes="Duration of the lock in minutes, from 1 to 43,200 (30 days).",
    )
    """Lock an account for a while, so that nobody signs in to it; its sessions go on."""
    unlock_user = administer(admin.unlock_user, refuses="REQUIRED TOO_LONG", returns=payloads.ACCOUNT)
    """Lift the lock of an account, whoever or whatever locked it."""
    set_user_roles = administer(
        admin.set_user_roles,
        refuses="INVALID_FORMAT REQUIRED TOO_LONG",
        returns=payloads.ACCOUNT,
        takes={"roles": (list[Role], "All of them; MEMBER is always among them.")},
        org="Organization: small letters, digits and dashes; null for none, left out: unchanged.",
        job_role="Job title there, at most 100 characters; null for none, left out: unchanged.",
    )
    """Set the roles of a person, and where they belong; their devices refresh their tokens by themselves."""
    revoke_user_sessions = administer(
        admin.revoke_user_sessions,
        refuses="REQUIRED TOO_LONG",
        returns={"ended_session_count": ENDED_SESSIONS},
        user_id="Id of the person whose sessions end.",
    )
    """Revoke all sessions of a person, but for the one that asks; they may sign in again."""
    revoke_all_sessions = administer(
        admin.revoke_all_sessions,
        refuses="REQUIRED TOO_LONG",
        returns={"ended_session_count": ENDED_SESSIONS},
    )
    """Revoke the sessions of everybody, but for the one that asks: for an emergency."""
