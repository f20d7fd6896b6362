"""Accounts: sessions, tokens, flows, second factors, lockout."""

from tests.mutation.fault import Fault

SESSIONS = ("tests/auth/test_refresh.py", "tests/auth/test_sessions.py")
TOKENS = ("tests/auth/test_tokens.py", "tests/auth/test_signing_keys.py")
FLOWS = ("tests/auth/test_flows.py", "tests/auth/test_sign_in.py", "tests/auth/test_two_factor.py")

FAULTS = [
    Fault(
        "a token of another audience is taken",
        "resolvers/auth/tokens.py",
        '"require_aud": True',
        '"verify_aud": False',
        TOKENS,
    ),
    Fault(
        "an expired access token is taken",
        "resolvers/auth/tokens.py",
        'if clock.timestamp() > claims["exp"] + CLOCK_SKEW:',
        "if False:",
        TOKENS,
    ),
    Fault(
        "a remembered token outlives its expiry",
        "resolvers/auth/tokens.py",
        "if remembered is not None and remembered.expires_at > clock.timestamp():",
        "if remembered is not None:",
        TOKENS,
    ),
    Fault(
        "a forged refresh token is taken",
        "resolvers/auth/tokens.py",
        "return claims if hmac.compare_digest(self._refresh_token(claims), token) else None",
        "return claims",
        (*SESSIONS, *TOKENS),
    ),
    Fault(
        "an old refresh token is good beyond its grace",
        "resolvers/auth/sessions.py",
        '(now - session["rotated_at"]).total_seconds() > GRACE_SECONDS',
        "False",
        SESSIONS,
    ),
    Fault(
        "a reused refresh token ends nothing",
        "resolvers/auth/sessions.py",
        "    await end(ctx, session, SessionEndReason.REUSE_DETECTED)\n",
        "",
        SESSIONS,
    ),
    Fault(
        "rotation extends a session beyond its absolute end",
        "resolvers/auth/sessions.py",
        'min(now + REFRESH_IDLE, session["absolute_expires_at"])',
        "now + REFRESH_IDLE",
        SESSIONS,
    ),
    Fault(
        "a refresh token serves another device",
        "resolvers/auth/sessions.py",
        "if not same_device(session, device_id) or claims.counter",
        "if claims.counter",
        SESSIONS,
    ),
    Fault(
        "another person's session can be revoked",
        "core/nodes.py",
        "return [each if each and each[owner] == viewer else None for each in found]",
        "return list(found)",
        SESSIONS,
    ),
    Fault(
        "ended sessions are kept for ever",
        "resolvers/auth/sessions.py",
        '"purge_at": now + timedelta(days=HISTORY_DAYS),',
        '"purge_at": None,',
        ("tests/auth/test_refresh_storm.py",),
    ),
    Fault(
        "replayed tokens are given for as long as the receipt lives",
        "resolvers/auth/sessions.py",
        "or age > REPLAY_SECONDS:",
        "or age < 0:",
        ("tests/auth/test_sign_in.py", *SESSIONS),
    ),
    Fault(
        "a stolen device id proves a flow of another session",
        "resolvers/auth/flows.py",
        'foreign = foreign or ctx.signed_in.session_id != flow["session_id"]',
        "foreign = foreign or False",
        (*FLOWS, "tests/auth/test_step_up.py", "tests/auth/test_changes.py"),
    ),
    Fault(
        "a code can be guessed for ever",
        "resolvers/auth/flows.py",
        '**({} if left else {"status": AuthFlowStatus.LOCKED})',
        "**{}",
        FLOWS,
    ),
    Fault(
        "a right code is right once more",
        "resolvers/auth/flows.py",
        """        "status": AuthFlowStatus.VERIFIED,
        "change": {},
        "destination": "",
        "code_hash": None,
""",
        """        "destination": "",
""",
        (*FLOWS, "tests/auth/test_flow_histories.py"),
    ),
    Fault(
        "a backup code works twice",
        "resolvers/auth/factors.py",
        "if kept is None or await ctx.tx.delete(store.backup_codes, kept) is None:",
        "if kept is None:",
        ("tests/auth/test_two_factor.py",),
    ),
    Fault(
        "old backup codes stay good",
        "resolvers/auth/factors.py",
        "-> list[str]:\n    await store.forget_backup_codes(ctx.db, user_id)\n",
        "-> list[str]:\n",
        ("tests/auth/test_two_factor.py",),
    ),
    Fault(
        "an ended session's socket goes on",
        "resolvers/auth/revocations.py",
        "        for ended in self._watched.pop(session_id, ()):\n            ended()\n        while",
        "        while",
        ("tests/auth/test_session_events.py", "tests/engine/test_ended_sessions.py"),
    ),
    Fault(
        "a changed role counts when the token ends",
        "resolvers/auth/revocations.py",
        "if viewer.issued_at < self._stale.get(viewer.user_id, 0.0):",
        "if False:",
        ("tests/auth/test_admin.py",),
    ),
]
