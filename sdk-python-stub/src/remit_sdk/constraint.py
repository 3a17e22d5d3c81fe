"""The constraints of an answer, and what the SDK enforces of them itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ._gen import decision_pb2 as pb
from .decision import Constraint

__all__ = ["OWN_CONSTRAINTS", "RunLimits", "output_bytes", "read_constraints", "run_limits"]

#: What the SDK itself honours, whatever the tool.
OWN_CONSTRAINTS = ("timeout", "maxOutputBytes", "requireIdempotencyKey")


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What is enforced around a running tool; None is unlimited."""

    #: Seconds.
    timeout: float | None
    output_bytes_max: int | None


def _read(wire: pb.Constraint) -> Constraint | None:
    match wire.WhichOneof("value"):
        case "duration":
            return Constraint(wire.name, wire.duration.ToNanoseconds() / 1e9)
        case "integer":
            return Constraint(wire.name, wire.integer)
        case "text":
            return Constraint(wire.name, wire.text)
        case "flag":
            return Constraint(wire.name, wire.flag)
        case "strings":
            return Constraint(wire.name, tuple(wire.strings.values))
        case _:
            return None


def _usable(constraint: Constraint) -> bool:
    # A timeout without a duration or a size without a number cannot be honoured, so it must not be ignored.
    if constraint.name == "timeout":
        return isinstance(constraint.value, float) and constraint.value > 0
    if constraint.name == "maxOutputBytes":
        return type(constraint.value) is int and constraint.value >= 0
    return True


def read_constraints(wire: Iterable[pb.Constraint], supported: frozenset[str]) -> tuple[Constraint, ...] | str:
    """The constraints of an answer, or the name of the first one that this caller cannot honour."""
    constraints: list[Constraint] = []
    for one in wire:
        read = _read(one)
        if read is None or one.name not in supported or not _usable(read):
            return one.name or "without a name"
        constraints.append(read)
    return tuple(constraints)


def run_limits(constraints: Iterable[Constraint]) -> RunLimits:
    """What the SDK enforces itself. Of several constraints of one name the narrowest counts."""
    timeouts = [one.value for one in constraints if one.name == "timeout" and isinstance(one.value, float)]
    sizes = [one.value for one in constraints if one.name == "maxOutputBytes" and isinstance(one.value, int)]
    return RunLimits(min(timeouts, default=None), min(sizes, default=None))


def output_bytes(output: object) -> int | None:
    """The size of what a tool returned, as JSON unless it is text or bytes; None when it cannot be known."""
    if output is None:
        return 0
    if isinstance(output, str):
        return len(output.encode("utf-8", "surrogatepass"))
    if isinstance(output, bytes | bytearray | memoryview):
        return memoryview(output).nbytes
    try:
        return len(json.dumps(output, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError, RecursionError):
        return None
