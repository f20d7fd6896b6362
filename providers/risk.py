"""Sign-in risk policy: decides if a right password is enough."""

from ports.auth import SignInAttempt

MANY_FAILURES = 3


class PlainRisk:
    """Implements `ports.auth.Risk`: a right guess after wrong ones, on a new device, is not enough."""

    async def demands_second_factor(self, attempt: SignInAttempt) -> bool:
        return not attempt.device_known and attempt.failures >= MANY_FAILURES
