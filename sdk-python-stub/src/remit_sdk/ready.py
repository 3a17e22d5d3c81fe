"""Whether Remit serves at the address and knows the key."""

from __future__ import annotations

from .errors import RemitError
from .settings import Settings
from .tries import GivenUpError

__all__ = ["NOBODY", "not_ready"]

#: No session has it: who is told that it is missing has been let in.
NOBODY = "00000000-0000-7000-8000-000000000000"


def not_ready(settings: Settings, error: RemitError | GivenUpError) -> RemitError | None:
    """Why Remit is not ready, with what mends it; None when it is."""
    last = error.last if isinstance(error, GivenUpError) else error
    if last is not None and last.status == "NOT_FOUND":
        return None
    by_key = last is not None and last.status == "UNAUTHENTICATED"
    fix = "start it with `remit serve`, or set REMIT_ADDRESS to where it listens for gRPC"
    if by_key and settings.token is None:
        fix = "set REMIT_API_KEY to a key of this Remit"
    elif by_key:
        fix = "have its issuer trusted and its subject bound: `remit issuers put`, `remit bindings put`"
    why = "no answer came" if last is None else str(last)
    return RemitError(
        f"Remit is not ready at {settings.where}: {why}. To mend it, {fix}.",
        status="UNAVAILABLE" if last is None else last.status,
        reason=last.reason if last is not None and by_key else "unreachable",
        fix=fix,
        retryable=not by_key,
    )
