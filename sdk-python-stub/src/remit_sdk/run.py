"""What a tool gets besides its input, and what is said of it afterwards."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

from .amount import Tally
from .constraint import output_bytes, run_limits
from .decision import Amount, Constraint, Outcome, Permitted, deny_locally
from .digest import output_digest
from .errors import ConstraintError, DeniedError, NothingSpent
from .report import Report

__all__ = ["Run", "is_late", "outcome_of", "refuse_late"]


class Run:
    """One run of a permitted call."""

    def __init__(self, permitted: Permitted) -> None:
        self.decision = permitted
        #: Set when the tool should stop: its time is up. A coroutine is cancelled instead.
        self.cancelled = threading.Event()
        self.limits = run_limits(permitted.constraints)
        self._tally = Tally()
        self._started_at = datetime.now(timezone.utc)
        self._started = time.monotonic()

    @property
    def idempotency_key(self) -> str:
        """The decision's id: hand it on to whatever the tool calls, so that a repeat does nothing twice."""
        return self.decision.idempotency_key

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What the call must honour; the SDK honours timeout, maxOutputBytes and requireIdempotencyKey itself."""
        return self.decision.constraints

    @property
    def permit(self) -> str:
        """A signature that the other side can verify offline, or empty."""
        return self.decision.permit

    def cost(self, unit: str, value: str) -> None:
        """Adds a decimal such as "12.50" to what the call really cost. Never called: what is held counts as spent."""
        self._tally.add(unit, value)

    def report(self, outcome: Outcome, output: object = None) -> Report:
        """What is said of this run."""
        actual: tuple[Amount, ...] = self._tally.totals()
        return Report(
            decision_id=self.decision.decision_id,
            outcome=outcome,
            actual=actual,
            input_digest=self.decision.recorded.effective_input_digest,
            output_digest=output_digest(output),
            started_at=self._started_at,
            duration=time.monotonic() - self._started,
        )

    def timed_out(self) -> ConstraintError:
        """The tool ran for longer than it may."""
        self.cancelled.set()
        limit = self.limits.timeout or 0.0
        message = f"The tool was stopped: it may run for at most {limit:g} s."
        return ConstraintError("timeout", limit, self.decision.decision_id, message)

    def check_output(self, output: object) -> None:
        """Raises when the output is larger than a constraint allows, or its size cannot be known."""
        limit = self.limits.output_bytes_max
        if limit is None:
            return
        size = output_bytes(output)
        if size is not None and size <= limit:
            return
        what = "an output whose size cannot be known" if size is None else f"{size} bytes"
        message = f"The tool ran, but it returned {what} where at most {limit} bytes are allowed."
        raise ConstraintError("maxOutputBytes", limit, self.decision.decision_id, message)


def outcome_of(error: BaseException) -> Outcome:
    """What a tool's error says of what was spent."""
    return "failed" if isinstance(error, NothingSpent) else "unknown"


def is_late(permitted: Permitted, asked_at: float) -> bool:
    """
    Whether a call may not start any more.

    It goes by the time that passed here since it was asked (`asked_at`, monotonic): our clock may be wrong.
    """
    before, evaluated_at = permitted.execute_before, permitted.recorded.evaluated_at
    if before is None:
        return False
    if evaluated_at is not None and time.monotonic() - asked_at >= (before - evaluated_at).total_seconds():
        return True
    return (permitted.recorded.replayed or evaluated_at is None) and datetime.now(timezone.utc) >= before


def refuse_late(permitted: Permitted) -> DeniedError:
    """The permission came too late."""
    message = f"{permitted.tool} was not run: the permission to run it came too late. Ask anew."
    denied = deny_locally(permitted.tool, permitted.call_id, "decision_expired", message, recorded=permitted.recorded)
    return DeniedError(denied)
