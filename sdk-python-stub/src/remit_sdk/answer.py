"""What an answer means for the call that was asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from ._gen import common_pb2 as common
from ._gen import decision_pb2 as pb
from .call import Asked, copy_of
from .canonical import canonical
from .constraint import read_constraints
from .decision import (
    Approval,
    Decision,
    Denied,
    Effect,
    Mode,
    Paused,
    PausedCall,
    Permitted,
    Question,
    Reason,
    Recorded,
    RuleRef,
    Would,
    deny_locally,
)
from .digest import input_digest

__all__ = ["read_answer"]

EFFECTS: dict[int, Effect] = {
    common.EFFECT_ALLOW: "allow",
    common.EFFECT_TRANSFORM: "transform",
    common.EFFECT_ESCALATE: "escalate",
    common.EFFECT_CLARIFY: "clarify",
    common.EFFECT_DENY: "deny",
}
MODES: dict[int, Mode] = {common.MODE_ENFORCED: "enforced", common.MODE_OBSERVED: "observed"}
APPROVAL_STATES: dict[int, str] = {
    pb.Approval.STATE_PENDING: "pending",
    pb.Approval.STATE_GRANTED: "granted",
    pb.Approval.STATE_REFUSED: "refused",
    pb.Approval.STATE_EXPIRED: "expired",
}


class _WrongError(Exception):
    """Why an answer does not hold together."""


def _date(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=timezone.utc)


def _reason(wire: pb.Reason) -> Reason:
    return Reason(
        code=wire.code,
        message=wire.message,
        retryable=wire.retryable,
        retry_after=wire.retry_after.ToNanoseconds() / 1e9 if wire.HasField("retry_after") else None,
        detail=wire.detail,
        remedy=wire.remedy,
    )


def _rules(wire: Iterable[common.RuleRef]) -> tuple[RuleRef, ...]:
    return tuple(RuleRef(one.policy, one.version, one.rule) for one in wire)


def _recorded(answer: pb.DecideResponse) -> Recorded:
    would = answer.would
    return Recorded(
        decision_id=answer.decision_id,
        attempt=answer.attempt,
        replayed=answer.replayed,
        mode=MODES.get(answer.mode, "enforced"),
        would=Would(EFFECTS.get(would.effect), _reason(would.reason), _rules(would.rules))
        if answer.HasField("would")
        else None,
        reason=_reason(answer.reason),
        rules=_rules(answer.rules),
        policy_digest=answer.policy_digest,
        input_digest=answer.input_digest,
        effective_input_digest=answer.effective_input_digest,
        revision=answer.revision,
        record=(answer.record.epoch, answer.record.n),
        trace_id=answer.trace_id,
        evaluated_at=_date(answer.evaluated_at) if answer.HasField("evaluated_at") else None,
    )


def _approval(wire: pb.Approval) -> Approval:
    expires_at = wire.expires_at.ToJsonString() if wire.HasField("expires_at") else ""
    return Approval(wire.id, APPROVAL_STATES.get(wire.state, "unknown"), expires_at, wire.summary, wire.url)


def _pause(asked: Asked, answer: pb.DecideResponse, recorded: Recorded) -> Paused:
    effect: Effect = EFFECTS[answer.effect]
    assert effect in ("escalate", "clarify")
    paused = PausedCall(
        effect=effect,
        session_id=asked.session_id,
        call_id=asked.call_id,
        tool=asked.tool,
        input=copy_of(asked.input_json),
        decision_id=recorded.decision_id,
        attempt=recorded.attempt,
        code=recorded.reason.code,
        message=recorded.reason.message,
        context=None if asked.context_json is None else copy_of(asked.context_json),
        estimate=asked.estimate,
        approval=_approval(answer.approval) if answer.HasField("approval") else None,
        questions=tuple(Question(one.id, one.type, one.ask) for one in answer.questions),
    )
    return Paused(effect, paused, recorded)


def _effective_input(asked: Asked, answer: pb.DecideResponse) -> str:
    """The canonical JSON of what must run."""
    if answer.transformed_tool:
        raise _WrongError(f"the call was sent to another tool, {answer.transformed_tool}")
    case = answer.WhichOneof("transformed")
    if answer.effect == common.EFFECT_ALLOW:
        if case is not None:
            raise _WrongError("an allow came with an input")
        return asked.input_json
    if case is None:
        raise _WrongError("the transformed input is missing")
    try:
        if case == "transformed_object":
            return canonical(MessageToDict(answer.transformed_object))
        value: object = json.loads(answer.transformed_json)
    except ValueError as error:
        raise _WrongError(f"the transformed input cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise _WrongError("the transformed input is not a JSON object")
    return canonical(value)


def _checked_input(asked: Asked, answer: pb.DecideResponse) -> str:
    if answer.mode not in MODES:
        raise _WrongError("its mode is unknown")
    if not answer.decision_id:
        raise _WrongError("it has no decision id")
    effective = _effective_input(asked, answer)
    if input_digest(effective) != answer.effective_input_digest:
        raise _WrongError("the digest of what must run is not that of the input")
    return effective


def _permit(asked: Asked, answer: pb.DecideResponse, recorded: Recorded) -> Decision:
    try:
        effective = _checked_input(asked, answer)
    except (_WrongError, ValueError) as error:
        message = f"The call was not run: Remit's answer does not hold together ({error})."
        return deny_locally(asked.tool, asked.call_id, "answer_invalid", message, recorded=recorded)
    constraints = read_constraints(answer.constraints, asked.supported)
    if isinstance(constraints, str):
        message = (
            f"The call was allowed under the constraint {constraints}, which this caller cannot honour, "
            "so it was not run."
        )
        return deny_locally(asked.tool, asked.call_id, "constraint_unsupported", message, recorded=recorded)
    return Permitted(
        effect="transform" if answer.effect == common.EFFECT_TRANSFORM else "allow",
        tool=asked.tool,
        call_id=asked.call_id,
        input=copy_of(effective),
        constraints=constraints,
        permit=answer.permit,
        execute_before=_date(answer.execute_before) if answer.HasField("execute_before") else None,
        report_by=_date(answer.report_by) if answer.HasField("report_by") else None,
        recorded=recorded,
    )


def read_answer(asked: Asked, answer: pb.DecideResponse) -> Decision:
    """
    What an answer means for the call that was asked.

    Whatever this SDK does not know or cannot check becomes a local denial; Remit's own denial needs no check.
    """
    recorded = _recorded(answer)
    effect = EFFECTS.get(answer.effect)
    if effect == "deny":
        return Denied(
            tool=asked.tool,
            call_id=asked.call_id,
            reason=recorded.reason,
            local=False,
            decision_id=recorded.decision_id or None,
            rules=recorded.rules,
            recorded=recorded,
        )
    if effect is None:
        message = "The call was not run: Remit answered with an effect that this SDK does not know."
        return deny_locally(asked.tool, asked.call_id, "effect_unknown", message, recorded=recorded)
    if answer.input_digest != asked.input_digest:
        message = "The call was not run: Remit's answer is about another input than the one that was asked about."
        return deny_locally(asked.tool, asked.call_id, "answer_invalid", message, recorded=recorded)
    if effect in ("escalate", "clarify"):
        return _pause(asked, answer, recorded)
    return _permit(asked, answer, recorded)
