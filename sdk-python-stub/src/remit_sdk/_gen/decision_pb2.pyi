import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from remit_sdk._gen import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_RUNNING: _ClassVar[Outcome]
    OUTCOME_SUCCEEDED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_NOT_EXECUTED: _ClassVar[Outcome]
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_RUNNING: Outcome
OUTCOME_SUCCEEDED: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_NOT_EXECUTED: Outcome
OUTCOME_UNKNOWN: Outcome

class DecideRequest(_message.Message):
    __slots__ = ("call_id", "tool", "input_object", "input_json", "context_object", "context_json", "estimate", "approval_id", "answers_object", "answers_json", "supported_constraints", "want_permit", "min_revision", "tool_schema_digest")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    INPUT_OBJECT_FIELD_NUMBER: _ClassVar[int]
    INPUT_JSON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_OBJECT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_OBJECT_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_JSON_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    WANT_PERMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    TOOL_SCHEMA_DIGEST_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    tool: str
    input_object: _struct_pb2.Struct
    input_json: bytes
    context_object: _struct_pb2.Struct
    context_json: bytes
    estimate: _containers.RepeatedCompositeFieldContainer[_common_pb2.Amount]
    approval_id: str
    answers_object: _struct_pb2.Struct
    answers_json: bytes
    supported_constraints: _containers.RepeatedScalarFieldContainer[str]
    want_permit: bool
    min_revision: int
    tool_schema_digest: str
    def __init__(self, call_id: _Optional[str] = ..., tool: _Optional[str] = ..., input_object: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., input_json: _Optional[bytes] = ..., context_object: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., context_json: _Optional[bytes] = ..., estimate: _Optional[_Iterable[_Union[_common_pb2.Amount, _Mapping]]] = ..., approval_id: _Optional[str] = ..., answers_object: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., answers_json: _Optional[bytes] = ..., supported_constraints: _Optional[_Iterable[str]] = ..., want_permit: _Optional[bool] = ..., min_revision: _Optional[int] = ..., tool_schema_digest: _Optional[str] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("decision_id", "attempt", "replayed", "effect", "mode", "would", "reason", "rules", "transformed_object", "transformed_json", "transformed_tool", "constraints", "approval", "questions", "holds", "permit", "execute_before", "report_by", "policy_digest", "input_digest", "effective_input_digest", "revision", "record", "trace_id", "evaluated_at", "rollout", "staleness_ms")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    WOULD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMED_OBJECT_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMED_JSON_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMED_TOOL_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    PERMIT_FIELD_NUMBER: _ClassVar[int]
    EXECUTE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    REPORT_BY_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    INPUT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_INPUT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    EVALUATED_AT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    STALENESS_MS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    attempt: int
    replayed: bool
    effect: _common_pb2.Effect
    mode: _common_pb2.Mode
    would: Would
    reason: Reason
    rules: _containers.RepeatedCompositeFieldContainer[_common_pb2.RuleRef]
    transformed_object: _struct_pb2.Struct
    transformed_json: bytes
    transformed_tool: str
    constraints: _containers.RepeatedCompositeFieldContainer[Constraint]
    approval: Approval
    questions: _containers.RepeatedCompositeFieldContainer[Question]
    holds: _containers.RepeatedCompositeFieldContainer[Hold]
    permit: str
    execute_before: _timestamp_pb2.Timestamp
    report_by: _timestamp_pb2.Timestamp
    policy_digest: str
    input_digest: str
    effective_input_digest: str
    revision: int
    record: RecordRef
    trace_id: str
    evaluated_at: _timestamp_pb2.Timestamp
    rollout: RolloutNote
    staleness_ms: int
    def __init__(self, decision_id: _Optional[str] = ..., attempt: _Optional[int] = ..., replayed: _Optional[bool] = ..., effect: _Optional[_Union[_common_pb2.Effect, str]] = ..., mode: _Optional[_Union[_common_pb2.Mode, str]] = ..., would: _Optional[_Union[Would, _Mapping]] = ..., reason: _Optional[_Union[Reason, _Mapping]] = ..., rules: _Optional[_Iterable[_Union[_common_pb2.RuleRef, _Mapping]]] = ..., transformed_object: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., transformed_json: _Optional[bytes] = ..., transformed_tool: _Optional[str] = ..., constraints: _Optional[_Iterable[_Union[Constraint, _Mapping]]] = ..., approval: _Optional[_Union[Approval, _Mapping]] = ..., questions: _Optional[_Iterable[_Union[Question, _Mapping]]] = ..., holds: _Optional[_Iterable[_Union[Hold, _Mapping]]] = ..., permit: _Optional[str] = ..., execute_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., report_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy_digest: _Optional[str] = ..., input_digest: _Optional[str] = ..., effective_input_digest: _Optional[str] = ..., revision: _Optional[int] = ..., record: _Optional[_Union[RecordRef, _Mapping]] = ..., trace_id: _Optional[str] = ..., evaluated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rollout: _Optional[_Union[RolloutNote, _Mapping]] = ..., staleness_ms: _Optional[int] = ...) -> None: ...

class RolloutNote(_message.Message):
    __slots__ = ("id", "canary", "versions", "other", "judged")
    ID_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    JUDGED_FIELD_NUMBER: _ClassVar[int]
    id: str
    canary: bool
    versions: _containers.RepeatedCompositeFieldContainer[TriedVersion]
    other: OtherSide
    judged: bool
    def __init__(self, id: _Optional[str] = ..., canary: _Optional[bool] = ..., versions: _Optional[_Iterable[_Union[TriedVersion, _Mapping]]] = ..., other: _Optional[_Union[OtherSide, _Mapping]] = ..., judged: _Optional[bool] = ...) -> None: ...

class TriedVersion(_message.Message):
    __slots__ = ("policy", "version")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    policy: str
    version: int
    def __init__(self, policy: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class OtherSide(_message.Message):
    __slots__ = ("effect", "code", "rules")
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    effect: _common_pb2.Effect
    code: str
    rules: _containers.RepeatedCompositeFieldContainer[_common_pb2.RuleRef]
    def __init__(self, effect: _Optional[_Union[_common_pb2.Effect, str]] = ..., code: _Optional[str] = ..., rules: _Optional[_Iterable[_Union[_common_pb2.RuleRef, _Mapping]]] = ...) -> None: ...

class Would(_message.Message):
    __slots__ = ("effect", "reason", "rules")
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    effect: _common_pb2.Effect
    reason: Reason
    rules: _containers.RepeatedCompositeFieldContainer[_common_pb2.RuleRef]
    def __init__(self, effect: _Optional[_Union[_common_pb2.Effect, str]] = ..., reason: _Optional[_Union[Reason, _Mapping]] = ..., rules: _Optional[_Iterable[_Union[_common_pb2.RuleRef, _Mapping]]] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("code", "message", "retryable", "retry_after", "detail", "remedy")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    retryable: bool
    retry_after: _duration_pb2.Duration
    detail: str
    remedy: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., retryable: _Optional[bool] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., detail: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...

class Constraint(_message.Message):
    __slots__ = ("name", "duration", "integer", "text", "flag", "strings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    duration: _duration_pb2.Duration
    integer: int
    text: str
    flag: bool
    strings: _common_pb2.StringSet
    def __init__(self, name: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., integer: _Optional[int] = ..., text: _Optional[str] = ..., flag: _Optional[bool] = ..., strings: _Optional[_Union[_common_pb2.StringSet, _Mapping]] = ...) -> None: ...

class Approval(_message.Message):
    __slots__ = ("id", "state", "expires_at", "summary", "url", "requirements")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Approval.State]
        STATE_PENDING: _ClassVar[Approval.State]
        STATE_GRANTED: _ClassVar[Approval.State]
        STATE_REFUSED: _ClassVar[Approval.State]
        STATE_EXPIRED: _ClassVar[Approval.State]
    STATE_UNSPECIFIED: Approval.State
    STATE_PENDING: Approval.State
    STATE_GRANTED: Approval.State
    STATE_REFUSED: Approval.State
    STATE_EXPIRED: Approval.State
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: Approval.State
    expires_at: _timestamp_pb2.Timestamp
    summary: str
    url: str
    requirements: _containers.RepeatedCompositeFieldContainer[ApprovalRequirement]
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[Approval.State, str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., summary: _Optional[str] = ..., url: _Optional[str] = ..., requirements: _Optional[_Iterable[_Union[ApprovalRequirement, _Mapping]]] = ...) -> None: ...

class ApprovalRequirement(_message.Message):
    __slots__ = ("rule", "approvers", "quorum", "expires")
    RULE_FIELD_NUMBER: _ClassVar[int]
    APPROVERS_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    rule: _common_pb2.RuleRef
    approvers: _containers.RepeatedScalarFieldContainer[str]
    quorum: int
    expires: _duration_pb2.Duration
    def __init__(self, rule: _Optional[_Union[_common_pb2.RuleRef, _Mapping]] = ..., approvers: _Optional[_Iterable[str]] = ..., quorum: _Optional[int] = ..., expires: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("id", "type", "ask")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    ask: str
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., ask: _Optional[str] = ...) -> None: ...

class Hold(_message.Message):
    __slots__ = ("budget", "amount")
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    budget: str
    amount: _common_pb2.Amount
    def __init__(self, budget: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Amount, _Mapping]] = ...) -> None: ...

class RecordRef(_message.Message):
    __slots__ = ("epoch", "n")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    n: int
    def __init__(self, epoch: _Optional[int] = ..., n: _Optional[int] = ...) -> None: ...

class DecideBatchRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DecideRequest]
    def __init__(self, items: _Optional[_Iterable[_Union[DecideRequest, _Mapping]]] = ...) -> None: ...

class DecideBatchResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[BatchItem]
    def __init__(self, items: _Optional[_Iterable[_Union[BatchItem, _Mapping]]] = ...) -> None: ...

class BatchItem(_message.Message):
    __slots__ = ("decision", "error")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decision: DecideResponse
    error: CallError
    def __init__(self, decision: _Optional[_Union[DecideResponse, _Mapping]] = ..., error: _Optional[_Union[CallError, _Mapping]] = ...) -> None: ...

class CallError(_message.Message):
    __slots__ = ("code", "message", "detail")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    detail: _common_pb2.ErrorDetail
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., detail: _Optional[_Union[_common_pb2.ErrorDetail, _Mapping]] = ...) -> None: ...

class ReportRequest(_message.Message):
    __slots__ = ("decision_id", "call_id", "outcome", "actual", "input_digest", "output_digest", "labels", "started_at", "duration")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    INPUT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    call_id: str
    outcome: Outcome
    actual: _containers.RepeatedCompositeFieldContainer[_common_pb2.Amount]
    input_digest: str
    output_digest: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    started_at: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    def __init__(self, decision_id: _Optional[str] = ..., call_id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., actual: _Optional[_Iterable[_Union[_common_pb2.Amount, _Mapping]]] = ..., input_digest: _Optional[str] = ..., output_digest: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReportResponse(_message.Message):
    __slots__ = ("decision_id", "replayed", "outcome", "report_by", "record", "input_matches", "unsettled_units")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REPORT_BY_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    INPUT_MATCHES_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_UNITS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    replayed: bool
    outcome: Outcome
    report_by: _timestamp_pb2.Timestamp
    record: RecordRef
    input_matches: bool
    unsettled_units: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, decision_id: _Optional[str] = ..., replayed: _Optional[bool] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., report_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record: _Optional[_Union[RecordRef, _Mapping]] = ..., input_matches: _Optional[bool] = ..., unsettled_units: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: DecideRequest
    def __init__(self, call: _Optional[_Union[DecideRequest, _Mapping]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("verdict", "considered", "revision", "policy_digest", "mode", "would", "checks", "skipped", "staleness_ms", "budgets")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CONSIDERED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    WOULD_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    STALENESS_MS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    verdict: Would
    considered: _containers.RepeatedCompositeFieldContainer[RuleTrace]
    revision: int
    policy_digest: str
    mode: _common_pb2.Mode
    would: Would
    checks: _containers.RepeatedCompositeFieldContainer[CheckTrace]
    skipped: SkippedRules
    staleness_ms: int
    budgets: _containers.RepeatedCompositeFieldContainer[BudgetTrace]
    def __init__(self, verdict: _Optional[_Union[Would, _Mapping]] = ..., considered: _Optional[_Iterable[_Union[RuleTrace, _Mapping]]] = ..., revision: _Optional[int] = ..., policy_digest: _Optional[str] = ..., mode: _Optional[_Union[_common_pb2.Mode, str]] = ..., would: _Optional[_Union[Would, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[CheckTrace, _Mapping]]] = ..., skipped: _Optional[_Union[SkippedRules, _Mapping]] = ..., staleness_ms: _Optional[int] = ..., budgets: _Optional[_Iterable[_Union[BudgetTrace, _Mapping]]] = ...) -> None: ...

class BudgetTrace(_message.Message):
    __slots__ = ("budget", "key", "account_id", "unit", "hard", "needed", "limit", "spent", "held", "free", "free_after", "closes_at", "refuses")
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    HARD_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SPENT_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    FREE_AFTER_FIELD_NUMBER: _ClassVar[int]
    CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    REFUSES_FIELD_NUMBER: _ClassVar[int]
    budget: str
    key: str
    account_id: str
    unit: str
    hard: bool
    needed: str
    limit: str
    spent: str
    held: str
    free: str
    free_after: str
    closes_at: _timestamp_pb2.Timestamp
    refuses: str
    def __init__(self, budget: _Optional[str] = ..., key: _Optional[str] = ..., account_id: _Optional[str] = ..., unit: _Optional[str] = ..., hard: _Optional[bool] = ..., needed: _Optional[str] = ..., limit: _Optional[str] = ..., spent: _Optional[str] = ..., held: _Optional[str] = ..., free: _Optional[str] = ..., free_after: _Optional[str] = ..., closes_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refuses: _Optional[str] = ...) -> None: ...

class CheckTrace(_message.Message):
    __slots__ = ("name", "outcome", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    outcome: str
    detail: str
    def __init__(self, name: _Optional[str] = ..., outcome: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class SkippedRules(_message.Message):
    __slots__ = ("other_agents", "other_tools", "not_reached", "not_listed")
    OTHER_AGENTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_TOOLS_FIELD_NUMBER: _ClassVar[int]
    NOT_REACHED_FIELD_NUMBER: _ClassVar[int]
    NOT_LISTED_FIELD_NUMBER: _ClassVar[int]
    other_agents: int
    other_tools: int
    not_reached: int
    not_listed: int
    def __init__(self, other_agents: _Optional[int] = ..., other_tools: _Optional[int] = ..., not_reached: _Optional[int] = ..., not_listed: _Optional[int] = ...) -> None: ...

class RuleTrace(_message.Message):
    __slots__ = ("rule", "effect", "result", "why", "mode", "conditions", "settings")
    RULE_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    rule: _common_pb2.RuleRef
    effect: _common_pb2.Effect
    result: str
    why: str
    mode: _common_pb2.Mode
    conditions: _containers.RepeatedCompositeFieldContainer[ConditionTrace]
    settings: _containers.RepeatedCompositeFieldContainer[SettingTrace]
    def __init__(self, rule: _Optional[_Union[_common_pb2.RuleRef, _Mapping]] = ..., effect: _Optional[_Union[_common_pb2.Effect, str]] = ..., result: _Optional[str] = ..., why: _Optional[str] = ..., mode: _Optional[_Union[_common_pb2.Mode, str]] = ..., conditions: _Optional[_Iterable[_Union[ConditionTrace, _Mapping]]] = ..., settings: _Optional[_Iterable[_Union[SettingTrace, _Mapping]]] = ...) -> None: ...

class ConditionTrace(_message.Message):
    __slots__ = ("kind", "text", "outcome", "why", "parts")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    text: str
    outcome: str
    why: str
    parts: _containers.RepeatedCompositeFieldContainer[PartTrace]
    def __init__(self, kind: _Optional[str] = ..., text: _Optional[str] = ..., outcome: _Optional[str] = ..., why: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[PartTrace, _Mapping]]] = ...) -> None: ...

class PartTrace(_message.Message):
    __slots__ = ("depth", "text", "operands", "outcome", "value", "why")
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    depth: int
    text: str
    operands: str
    outcome: str
    value: str
    why: str
    def __init__(self, depth: _Optional[int] = ..., text: _Optional[str] = ..., operands: _Optional[str] = ..., outcome: _Optional[str] = ..., value: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class SettingTrace(_message.Message):
    __slots__ = ("path", "before", "after", "why", "text", "parts")
    PATH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    path: str
    before: str
    after: str
    why: str
    text: str
    parts: _containers.RepeatedCompositeFieldContainer[PartTrace]
    def __init__(self, path: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., why: _Optional[str] = ..., text: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[PartTrace, _Mapping]]] = ...) -> None: ...

class ExchangeRequest(_message.Message):
    __slots__ = ("frame", "attach", "detach", "decide", "report")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    DECIDE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    frame: int
    attach: Attach
    detach: Detach
    decide: DecideFrame
    report: ReportFrame
    def __init__(self, frame: _Optional[int] = ..., attach: _Optional[_Union[Attach, _Mapping]] = ..., detach: _Optional[_Union[Detach, _Mapping]] = ..., decide: _Optional[_Union[DecideFrame, _Mapping]] = ..., report: _Optional[_Union[ReportFrame, _Mapping]] = ...) -> None: ...

class Attach(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class Detach(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: int
    def __init__(self, handle: _Optional[int] = ...) -> None: ...

class DecideFrame(_message.Message):
    __slots__ = ("handle", "call")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    handle: int
    call: DecideRequest
    def __init__(self, handle: _Optional[int] = ..., call: _Optional[_Union[DecideRequest, _Mapping]] = ...) -> None: ...

class ReportFrame(_message.Message):
    __slots__ = ("handle", "report")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    handle: int
    report: ReportRequest
    def __init__(self, handle: _Optional[int] = ..., report: _Optional[_Union[ReportRequest, _Mapping]] = ...) -> None: ...

class ExchangeResponse(_message.Message):
    __slots__ = ("frame", "attached", "detached", "decided", "reported", "error", "notice")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    DETACHED_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    frame: int
    attached: Attached
    detached: Detached
    decided: DecideResponse
    reported: ReportResponse
    error: CallError
    notice: Notice
    def __init__(self, frame: _Optional[int] = ..., attached: _Optional[_Union[Attached, _Mapping]] = ..., detached: _Optional[_Union[Detached, _Mapping]] = ..., decided: _Optional[_Union[DecideResponse, _Mapping]] = ..., reported: _Optional[_Union[ReportResponse, _Mapping]] = ..., error: _Optional[_Union[CallError, _Mapping]] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ...) -> None: ...

class Attached(_message.Message):
    __slots__ = ("handle", "expires_at")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    handle: int
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, handle: _Optional[int] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Detached(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Notice(_message.Message):
    __slots__ = ("session_ended", "call_cancel", "approval_resolved", "halted", "reconnect")
    SESSION_ENDED_FIELD_NUMBER: _ClassVar[int]
    CALL_CANCEL_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_RESOLVED_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_FIELD_NUMBER: _ClassVar[int]
    session_ended: SessionEnded
    call_cancel: CallCancel
    approval_resolved: ApprovalResolved
    halted: Halted
    reconnect: Reconnect
    def __init__(self, session_ended: _Optional[_Union[SessionEnded, _Mapping]] = ..., call_cancel: _Optional[_Union[CallCancel, _Mapping]] = ..., approval_resolved: _Optional[_Union[ApprovalResolved, _Mapping]] = ..., halted: _Optional[_Union[Halted, _Mapping]] = ..., reconnect: _Optional[_Union[Reconnect, _Mapping]] = ...) -> None: ...

class SessionEnded(_message.Message):
    __slots__ = ("handle", "code")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    handle: int
    code: str
    def __init__(self, handle: _Optional[int] = ..., code: _Optional[str] = ...) -> None: ...

class CallCancel(_message.Message):
    __slots__ = ("handle", "call_id", "code")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    handle: int
    call_id: str
    code: str
    def __init__(self, handle: _Optional[int] = ..., call_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class ApprovalResolved(_message.Message):
    __slots__ = ("handle", "call_id", "approval")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    handle: int
    call_id: str
    approval: Approval
    def __init__(self, handle: _Optional[int] = ..., call_id: _Optional[str] = ..., approval: _Optional[_Union[Approval, _Mapping]] = ...) -> None: ...

class Halted(_message.Message):
    __slots__ = ("reason", "handle")
    REASON_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    handle: int
    def __init__(self, reason: _Optional[str] = ..., handle: _Optional[int] = ...) -> None: ...

class Reconnect(_message.Message):
    __slots__ = ("within",)
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    within: _duration_pb2.Duration
    def __init__(self, within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
