"""What becomes of a call that was asked: the part that knows no thread and no loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from ._gen import decision_pb2 as pb
from .answer import read_answer
from .call import Asked, CallOptions, fix_call
from .decision import Amount, Decision, Denied, Outcome, Paused, PausedCall, Permitted, deny_locally
from .errors import DeniedError, PausedError, RemitError, misuse
from .report import Report
from .rpc_error import is_answered
from .settings import Settings
from .tries import GivenUpError, Tries

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["CallMore", "Release", "ReportMore", "ToolOptions", "paused_ask", "permitted_or_raise"]


class CallMore(TypedDict, total=False):
    """`CallOptions` as keyword arguments."""

    call_id: str | None
    context: Mapping[str, Any] | None
    estimate: Iterable[Amount]
    answers: Mapping[str, Any] | None
    approval_id: str
    supported_constraints: Iterable[str]
    schema_digest: str
    want_permit: bool
    min_revision: int


class ReportMore(TypedDict, total=False):
    """`Report` as keyword arguments, but for its outcome."""

    decision_id: str
    call_id: str
    actual: Iterable[Amount]
    input_digest: str
    output_digest: str
    labels: Iterable[str]
    started_at: datetime | None
    duration: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """How a tool is bound."""

    #: What a call with this input is expected to cost.
    estimate: Callable[[Mapping[str, Any]], Iterable[Amount]] | None = None
    #: Constraints that this tool honours itself.
    supported_constraints: Iterable[str] = ()
    #: The digest of the input schema that the model was shown.
    schema_digest: str = ""

    def asked(self, tool: str, session_id: str, given: Mapping[str, Any], settings: Settings, more: CallMore) -> Asked:
        """Fixes a call of this tool."""
        own = frozenset(self.supported_constraints)
        merged: CallMore = {"schema_digest": self.schema_digest, **more}
        if self.estimate is not None and "estimate" not in more:
            merged["estimate"] = self.estimate(given)
        return fix_call(tool, session_id, given, settings.supported | own, CallOptions(**merged))


@dataclass(frozen=True, slots=True)
class Release:
    """
    Remit may count on this call to run though it will not.

    It was allowed and is refused here (`decision_id`), or it was sent and its answer never came.
    """

    decision_id: str = ""

    def report(self, asked: Asked) -> Report:
        """What is said of the call."""
        outcome: Outcome = "not_executed"
        if self.decision_id:
            return Report(decision_id=self.decision_id, outcome=outcome)
        return Report(call_id=asked.call_id, outcome=outcome)


def answered(asked: Asked, answer: pb.DecideResponse) -> tuple[Decision, Release | None]:
    """What an answer means, and what is to be released because of it."""
    decision = read_answer(asked, answer)
    if not isinstance(decision, Denied) or not decision.local:
        return decision, None
    # Whose decision an answer is that does not hold together, nobody knows.
    whole = decision.reason.code == "constraint_unsupported"
    return decision, Release(decision.decision_id or "" if whole else "")


def unanswered(
    asked: Asked, settings: Settings, tries: Tries, error: RemitError | GivenUpError
) -> tuple[Denied | RemitError, Release | None]:
    """What it means that no answer came: a denial, or the error that Remit itself answered."""
    last = error.last if isinstance(error, GivenUpError) else error
    reused = last is not None and last.reason == "call_id_reused"
    # Under a reused id it is another call that would be released.
    release = Release() if tries.unseen > 0 and not reused else None
    if last is not None and is_answered(last) and not (isinstance(error, GivenUpError) and release):
        return last, release
    why = "no answer came" if last is None else str(last)
    message = (
        f"{asked.tool} was not run: Remit did not decide at {settings.where} within {settings.deadline:g} s ({why}). "
        "Start it with `remit serve`, or set REMIT_ADDRESS."
    )
    return deny_locally(asked.tool, asked.call_id, "unreachable", message, retryable=True), release


def permitted_or_raise(decision: Decision) -> Permitted:
    """The decision, when its call may run. Raises `DeniedError` or `PausedError`."""
    if isinstance(decision, Denied):
        raise DeniedError(decision)
    if isinstance(decision, Paused):
        raise PausedError(decision.paused)
    return decision


def already_executed(permitted: Permitted) -> DeniedError:
    """This decision was run here and its report is still under way."""
    message = f"{permitted.tool} was not run again: this call was already made."
    denied = deny_locally(permitted.tool, permitted.call_id, "already_executed", message, recorded=permitted.recorded)
    return DeniedError(denied)


def paused_ask(session_id: str, paused: PausedCall, more: CallMore) -> CallMore:
    """How a paused call is asked again. Raises `RemitError` for a call of another session."""
    if paused.session_id != session_id:
        fix = "resume it in the session that asked: adopt_session(paused.session_id)"
        raise misuse("paused", "this call was paused in another session", fix)
    return {"context": paused.context, "estimate": paused.estimate, **more, "call_id": paused.call_id}


def takes_run(work: Callable[..., object]) -> bool:
    """Whether a tool's function takes the run besides its input. Raises `TypeError` for one that takes neither."""
    try:
        inspect.signature(work).bind({}, None)
        return True
    except TypeError:
        inspect.signature(work).bind({})
        return False
