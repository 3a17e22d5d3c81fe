"""What the caller says happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ._gen import decision_pb2 as pb
from .decision import Amount, Outcome, Reported, require_outcome
from .errors import misuse

__all__ = ["Report", "read_reported", "write_report"]

OUTCOMES: dict[Outcome, pb.Outcome] = {
    "running": pb.OUTCOME_RUNNING,
    "succeeded": pb.OUTCOME_SUCCEEDED,
    "failed": pb.OUTCOME_FAILED,
    "not_executed": pb.OUTCOME_NOT_EXECUTED,
    "unknown": pb.OUTCOME_UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One of `decision_id` and `call_id` says what it is about."""

    outcome: Outcome
    decision_id: str = ""
    #: When its decision was never seen.
    call_id: str = ""
    #: What it cost. Empty: what is held counts as spent. Zero is legal.
    actual: Iterable[Amount] = ()
    #: sha256:<hex> of what ran, as in `Recorded.effective_input_digest`.
    input_digest: str = ""
    #: sha256:<hex> of what it returned.
    output_digest: str = ""
    labels: Iterable[str] = ()
    started_at: datetime | None = None
    #: Seconds.
    duration: float | None = None


def write_report(report: Report) -> pb.ReportRequest:
    """The report as it is sent. Raises `RemitError` when it names no call, or two."""
    if bool(report.decision_id) == bool(report.call_id):
        raise misuse("decision_id", "a report is about a decision id or a call id", "pass one of them")
    request = pb.ReportRequest(
        outcome=OUTCOMES[require_outcome(report.outcome)],
        actual=[{"unit": one.unit, "value": one.value} for one in report.actual],
        input_digest=report.input_digest,
        output_digest=report.output_digest,
        labels=list(report.labels),
    )
    if report.decision_id:
        request.decision_id = report.decision_id
    else:
        request.call_id = report.call_id
    if report.started_at is not None:
        request.started_at.FromDatetime(report.started_at)
    if report.duration is not None:
        request.duration.FromTimedelta(timedelta(seconds=report.duration))
    return request


def read_reported(answer: pb.ReportResponse) -> Reported:
    """What Remit made of a report."""
    known = next((name for name, number in OUTCOMES.items() if number == answer.outcome), None)
    return Reported(answer.decision_id, answer.replayed, known, answer.input_matches)
