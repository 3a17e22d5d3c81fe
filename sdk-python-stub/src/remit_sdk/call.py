"""One proposed call, as it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from ._gen import decision_pb2 as pb
from .canonical import NotJsonError, canonical
from .decision import Amount, JsonObject
from .digest import input_digest
from .errors import RemitError, misuse

__all__ = ["Asked", "CallOptions", "copy_of", "fix_call"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What may be said of a call besides its tool and input."""

    #: Unique in the session, 1 to 256 bytes. Asking again with it is safe. None: a random UUID.
    call_id: str | None = None
    #: Facts asserted by this process, typed by the tool's context schema.
    context: Mapping[str, Any] | None = None
    #: What the call is expected to cost.
    estimate: Iterable[Amount] = ()
    #: Answers to a clarification, by question id.
    answers: Mapping[str, Any] | None = None
    #: Only when an approval was asked for under another call id.
    approval_id: str = ""
    #: Constraints that this call can be put under, besides the client's own.
    supported_constraints: Iterable[str] = ()
    #: The digest of the tool's input schema that this process goes by.
    schema_digest: str = ""
    want_permit: bool = False
    #: Decide under this revision of the policies or a later one.
    min_revision: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is fixed from here on, whatever its caller does to the objects that it passed."""

    tool: str
    call_id: str
    session_id: str
    #: Canonical JSON.
    input_json: str
    input_digest: str
    supported: frozenset[str]
    context_json: str | None
    estimate: tuple[Amount, ...]
    request: pb.DecideRequest

    @property
    def key(self) -> tuple[str, str]:
        """What names the call in this process."""
        return (self.session_id, self.call_id)


def _object_json(field: str, value: object) -> str:
    if not isinstance(value, Mapping):
        raise misuse(field, f"{field} must be a JSON object, not a {type(value).__name__}", f"pass {field} as a dict")
    try:
        return canonical(dict(value))
    except NotJsonError as error:
        raise RemitError(
            f"{field}{error.path} {error.message}",
            status="INVALID_ARGUMENT",
            reason=error.what,
            field=field + error.path,
            fix="pass plain JSON",
        ) from error


def copy_of(text: str) -> JsonObject:
    """A fresh copy of an object that was written as JSON."""
    return cast(JsonObject, json.loads(text))


def fix_call(
    tool: str, session_id: str, given: Mapping[str, Any], supported: frozenset[str], options: CallOptions
) -> Asked:
    """Fixes a call. Raises `RemitError` that names the field for what is not plain JSON."""
    if tool == "":
        raise misuse("tool", "a call needs the name of its tool", "pass tool")
    if options.call_id == "":
        raise misuse("call_id", "a call id must not be empty", "leave it out, or pass one")
    call_id = options.call_id if options.call_id is not None else str(uuid4())
    input_json = _object_json("input", given)
    context = None if options.context is None else _object_json("context", options.context)
    estimate = tuple(options.estimate)
    all_supported = supported | frozenset(options.supported_constraints)
    request = pb.DecideRequest(
        call_id=call_id,
        tool=tool,
        input_json=input_json.encode(),
        estimate=[{"unit": one.unit, "value": one.value} for one in estimate],
        approval_id=options.approval_id,
        supported_constraints=sorted(all_supported),
        want_permit=options.want_permit,
        min_revision=options.min_revision,
        tool_schema_digest=options.schema_digest,
    )
    if context is not None:
        request.context_json = context.encode()
    if options.answers is not None:
        request.answers_json = _object_json("answers", options.answers).encode()
    digest = input_digest(input_json)
    return Asked(tool, call_id, session_id, input_json, digest, all_supported, context, estimate, request)
