import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Effect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EFFECT_UNSPECIFIED: _ClassVar[Effect]
    EFFECT_ALLOW: _ClassVar[Effect]
    EFFECT_TRANSFORM: _ClassVar[Effect]
    EFFECT_ESCALATE: _ClassVar[Effect]
    EFFECT_CLARIFY: _ClassVar[Effect]
    EFFECT_DENY: _ClassVar[Effect]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_ENFORCED: _ClassVar[Mode]
    MODE_OBSERVED: _ClassVar[Mode]

class Risk(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RISK_UNSPECIFIED: _ClassVar[Risk]
    RISK_UNCLASSIFIED: _ClassVar[Risk]
    RISK_READ: _ClassVar[Risk]
    RISK_WRITE: _ClassVar[Risk]
    RISK_DESTRUCTIVE: _ClassVar[Risk]
EFFECT_UNSPECIFIED: Effect
EFFECT_ALLOW: Effect
EFFECT_TRANSFORM: Effect
EFFECT_ESCALATE: Effect
EFFECT_CLARIFY: Effect
EFFECT_DENY: Effect
MODE_UNSPECIFIED: Mode
MODE_ENFORCED: Mode
MODE_OBSERVED: Mode
RISK_UNSPECIFIED: Risk
RISK_UNCLASSIFIED: Risk
RISK_READ: Risk
RISK_WRITE: Risk
RISK_DESTRUCTIVE: Risk

class Amount(_message.Message):
    __slots__ = ("unit", "value")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    unit: str
    value: str
    def __init__(self, unit: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class RuleRef(_message.Message):
    __slots__ = ("policy", "version", "rule")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    policy: str
    version: int
    rule: str
    def __init__(self, policy: _Optional[str] = ..., version: _Optional[int] = ..., rule: _Optional[str] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("tools", "bounds", "labels", "max_depth", "expires_at", "disclose")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    DISCLOSE_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedScalarFieldContainer[str]
    bounds: _containers.RepeatedCompositeFieldContainer[Bound]
    labels: _containers.ScalarMap[str, str]
    max_depth: int
    expires_at: _timestamp_pb2.Timestamp
    disclose: bool
    def __init__(self, tools: _Optional[_Iterable[str]] = ..., bounds: _Optional[_Iterable[_Union[Bound, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., max_depth: _Optional[int] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., disclose: _Optional[bool] = ...) -> None: ...

class Bound(_message.Message):
    __slots__ = ("tool", "path", "max", "min", "prefix", "equals", "max_decimal", "min_decimal", "equals_literal", "in_literals")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    IN_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    EQUALS_FIELD_NUMBER: _ClassVar[int]
    MAX_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    MIN_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    EQUALS_LITERAL_FIELD_NUMBER: _ClassVar[int]
    IN_LITERALS_FIELD_NUMBER: _ClassVar[int]
    tool: str
    path: str
    max: float
    min: float
    prefix: str
    equals: str
    max_decimal: str
    min_decimal: str
    equals_literal: _struct_pb2.Value
    in_literals: _struct_pb2.ListValue
    def __init__(self, tool: _Optional[str] = ..., path: _Optional[str] = ..., max: _Optional[float] = ..., min: _Optional[float] = ..., prefix: _Optional[str] = ..., equals: _Optional[str] = ..., max_decimal: _Optional[str] = ..., min_decimal: _Optional[str] = ..., equals_literal: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., in_literals: _Optional[_Union[_struct_pb2.ListValue, _Mapping]] = ..., **kwargs) -> None: ...

class StringSet(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("file", "line", "column", "severity", "message", "excerpt", "expected", "nearest", "code")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[Problem.Severity]
        SEVERITY_ERROR: _ClassVar[Problem.Severity]
        SEVERITY_WARNING: _ClassVar[Problem.Severity]
    SEVERITY_UNSPECIFIED: Problem.Severity
    SEVERITY_ERROR: Problem.Severity
    SEVERITY_WARNING: Problem.Severity
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: int
    severity: Problem.Severity
    message: str
    excerpt: str
    expected: str
    nearest: str
    code: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., severity: _Optional[_Union[Problem.Severity, str]] = ..., message: _Optional[str] = ..., excerpt: _Optional[str] = ..., expected: _Optional[str] = ..., nearest: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class ErrorDetail(_message.Message):
    __slots__ = ("reason", "field", "limit", "fix", "retryable")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FIX_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    field: str
    limit: str
    fix: str
    retryable: bool
    def __init__(self, reason: _Optional[str] = ..., field: _Optional[str] = ..., limit: _Optional[str] = ..., fix: _Optional[str] = ..., retryable: _Optional[bool] = ...) -> None: ...
