"""How a call can end besides running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .decision import Denied, PausedCall, RuleRef

__all__ = ["ConstraintError", "DeniedError", "NothingSpent", "PausedError", "RemitError", "misuse"]


class DeniedError(Exception):
    """The call may not run; it was not run. Its text is written for the model: hand it back as the tool's result."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.reason.message)
        self.denied = denied
        #: Stable: rule_denied, budget_exhausted, unreachable ... Branch on it.
        self.code: str = denied.reason.code
        self.tool: str = denied.tool
        self.call_id: str = denied.call_id
        #: For `remit why`; None when no decision reached this process.
        self.decision_id: str | None = denied.decision_id
        #: True when the SDK refused, not Remit: it could not ask, or could not honour the answer.
        self.local: bool = denied.local
        self.retryable: bool = denied.reason.retryable
        #: Seconds to wait before asking again; None when nothing was said.
        self.retry_after: float | None = denied.reason.retry_after
        self.rules: tuple[RuleRef, ...] = denied.rules


class PausedError(Exception):
    """The call waits: for people (escalate) or for answers (clarify). Keep `paused`, and resume the call with it."""

    def __init__(self, paused: PausedCall) -> None:
        super().__init__(paused.message)
        self.paused = paused


class RemitError(Exception):
    """Remit answered with an error, or was used wrongly. Nothing was allowed."""

    def __init__(
        self,
        message: str,
        *,
        status: str,
        reason: str,
        field: str = "",
        limit: str = "",
        fix: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        #: The canonical status: INVALID_ARGUMENT, UNAVAILABLE ...
        self.status = status
        #: Stable: request_invalid, token_expired, call_id_reused ... `transport` when something on the way spoke.
        self.reason = reason
        #: The field to blame, or empty.
        self.field = field
        #: The limit that was passed, with its unit, or empty.
        self.limit = limit
        #: What to do about it, or empty.
        self.fix = fix
        #: Whether the same request may pass later.
        self.retryable = retryable


class ConstraintError(Exception):
    """A constraint of an allowed call was broken while it ran or by what it returned. The tool did run."""

    def __init__(self, constraint: str, limit: float, decision_id: str, message: str) -> None:
        super().__init__(message)
        #: timeout or maxOutputBytes.
        self.constraint = constraint
        #: Seconds or bytes.
        self.limit = limit
        self.decision_id = decision_id


class NothingSpent(Exception):  # noqa: N818 - it says what is known, and is named alike in every SDK
    """
    A tool raises this when it failed and is certain that nothing was spent or changed.

    The call is reported as failed and what was held for it is given back. Any other error is reported as unknown.
    """


def misuse(field: str, message: str, fix: str, reason: str = "request_invalid") -> RemitError:
    """The client, or one of its options, was used wrongly."""
    return RemitError(message, status="INVALID_ARGUMENT", reason=reason, field=field, fix=fix)
