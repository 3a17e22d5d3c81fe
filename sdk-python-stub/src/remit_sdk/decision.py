"""What Remit decided, as values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from .errors import misuse

__all__ = [
    "Amount",
    "Approval",
    "Constraint",
    "Decision",
    "Denied",
    "Effect",
    "JsonObject",
    "Mode",
    "Outcome",
    "Paused",
    "PausedCall",
    "Permitted",
    "Question",
    "Reason",
    "Recorded",
    "Reported",
    "RuleRef",
    "Would",
    "deny_locally",
]

JsonObject: TypeAlias = dict[str, Any]
Effect: TypeAlias = Literal["allow", "transform", "escalate", "clarify", "deny"]
Mode: TypeAlias = Literal["enforced", "observed"]

#: `failed` says that nothing was spent, `unknown` that nobody knows; `running` extends the time for a report.
Outcome: TypeAlias = Literal["running", "succeeded", "failed", "not_executed", "unknown"]


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact quantity of one unit: a currency code, `tokens`, any word; and a decimal such as "12.50"."""

    unit: str
    value: str


@dataclass(frozen=True, slots=True)
class RuleRef:
    """A rule of one version of a policy."""

    policy: str
    version: int
    rule: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision came out as it did."""

    #: Stable: rule_denied, no_rule_matched, scope_exceeded ...
    code: str
    #: Written for the model.
    message: str
    retryable: bool = False
    #: Seconds.
    retry_after: float | None = None
    #: Only for callers with the role `diagnose`.
    detail: str = ""
    #: What would make the call pass, if the policy discloses it.
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Would:
    """What enforcement would have answered."""

    #: None when this SDK does not know the effect.
    effect: Effect | None
    reason: Reason
    rules: tuple[RuleRef, ...]


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that must be honoured when an allowed call runs. Seconds, an integer, text, a flag or texts."""

    name: str
    value: float | int | str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question that must be answered before the call is decided."""

    id: str
    type: str
    ask: str


@dataclass(frozen=True, slots=True)
class Approval:
    """What people are asked for."""

    id: str
    #: pending, granted, refused, expired or unknown.
    state: str
    #: RFC 3339, or empty.
    expires_at: str
    summary: str
    url: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What every recorded decision says."""

    #: UUIDv7.
    decision_id: str
    #: Counts from 1 within the call.
    attempt: int
    #: True when this decision had been made by an earlier request.
    replayed: bool
    mode: Mode
    #: Only when observed.
    would: Would | None
    reason: Reason
    rules: tuple[RuleRef, ...]
    #: sha256:<hex> of the tenant's active policies.
    policy_digest: str
    #: sha256:<hex> of what was proposed.
    input_digest: str
    #: sha256:<hex> of what must run.
    effective_input_digest: str
    revision: int
    #: The writer's number, and the entry's number with that writer.
    record: tuple[int, int]
    trace_id: str
    evaluated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Permitted:
    """The call may run, with `input` and no other."""

    effect: Literal["allow", "transform"]
    tool: str
    call_id: str
    #: What must run: a copy that is the caller's own.
    input: JsonObject
    constraints: tuple[Constraint, ...]
    #: A signature that a tool can verify offline, or empty.
    permit: str
    #: By Remit's clock: after it the call must not start.
    execute_before: datetime | None
    #: By Remit's clock: what is held counts as spent after it, unless a report comes.
    report_by: datetime | None
    recorded: Recorded

    @property
    def decision_id(self) -> str:
        """UUIDv7."""
        return self.recorded.decision_id

    @property
    def idempotency_key(self) -> str:
        """The decision's id: the same for every try of this call."""
        return self.recorded.decision_id


@dataclass(frozen=True, slots=True)
class PausedCall:
    """A call that waits, as plain data: it survives JSON, and holds no token."""

    #: escalate waits for people, clarify for answers.
    effect: Literal["escalate", "clarify"]
    session_id: str
    call_id: str
    tool: str
    input: JsonObject
    decision_id: str
    attempt: int
    code: str
    message: str
    context: JsonObject | None = None
    estimate: tuple[Amount, ...] = ()
    approval: Approval | None = None
    questions: tuple[Question, ...] = ()
    v: int = 1

    def to_json(self) -> str:
        """The call as JSON text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> PausedCall:
        """Reads a call back. Raises `RemitError` when the text is none."""
        try:
            return _paused_call(json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            raise misuse("paused", f"this is not a paused call: {error}", "pass what to_json() gave") from error


def _paused_call(value: JsonObject) -> PausedCall:
    if value["v"] != 1 or value["effect"] not in ("escalate", "clarify"):
        raise ValueError("it is of another version or effect")
    approval = value.get("approval")
    rebuilt = {
        **value,
        "estimate": tuple(Amount(**one) for one in value["estimate"]),
        "approval": None if approval is None else Approval(**approval),
        "questions": tuple(Question(**one) for one in value["questions"]),
    }
    return PausedCall(**rebuilt)


@dataclass(frozen=True, slots=True)
class Paused:
    """The call waits; `paused` resumes it, in this process or another."""

    effect: Literal["escalate", "clarify"]
    paused: PausedCall
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class Denied:
    """The call must not run."""

    tool: str
    call_id: str
    reason: Reason
    #: True when the SDK refused, not Remit.
    local: bool
    #: None when no decision reached this process.
    decision_id: str | None = None
    rules: tuple[RuleRef, ...] = ()
    #: The recorded decision, when Remit made one that this SDK could read.
    recorded: Recorded | None = None
    effect: Literal["deny"] = field(default="deny", init=False)


#: The answer to one proposed call. Only `Permitted` may run.
Decision: TypeAlias = Permitted | Paused | Denied


@dataclass(frozen=True, slots=True)
class Reported:
    """What Remit made of a report."""

    #: Empty when a call id was reported that had never been decided.
    decision_id: str
    #: True when this call's outcome had been reported before: the first stands.
    replayed: bool
    #: The outcome that stands; None when this SDK does not know it.
    outcome: Outcome | None
    #: False when what ran is not what was decided.
    input_matches: bool


def deny_locally(
    tool: str,
    call_id: str,
    code: str,
    message: str,
    *,
    retryable: bool = False,
    recorded: Recorded | None = None,
) -> Denied:
    """A denial that the SDK makes itself."""
    return Denied(
        tool=tool,
        call_id=call_id,
        reason=Reason(code=code, message=message, retryable=retryable),
        local=True,
        decision_id=(recorded.decision_id or None) if recorded else None,
        rules=recorded.rules if recorded else (),
        recorded=recorded,
    )


def require_outcome(text: str) -> Outcome:
    """The text, seen to be an outcome. Raises `RemitError`."""
    if text not in ("running", "succeeded", "failed", "not_executed", "unknown"):
        raise misuse(
            "outcome",
            f"{text!r} is not an outcome",
            "say running, succeeded, failed, not_executed or unknown",
        )
    return cast(Outcome, text)
