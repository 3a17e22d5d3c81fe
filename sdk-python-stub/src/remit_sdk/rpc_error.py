"""The errors of RPCs."""

from __future__ import annotations

from typing import Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from ._gen.common_pb2 import ErrorDetail
from .errors import RemitError

__all__ = ["NeverSentError", "decided_nothing", "from_rpc", "is_answered", "is_caller_refused", "is_expired"]

_DETAILS = "grpc-status-details-bin"

# What is worth another try when nothing but the transport has spoken: a proxy, a dying peer, a full queue.
_TRANSPORT = frozenset(
    {"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "UNAVAILABLE"}
)
# Remit's own words after which the decision may have been recorded all the same.
_OPEN = frozenset({"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL"})

# How gRPC begins the error of a call that found no connection.
_NO_CONNECTION = "failed to connect to all addresses"


class NeverSentError(RemitError):
    """The request certainly never left this machine: there was no connection to send it on."""


class _Failed(Protocol):
    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> object: ...


def _detail(metadata: object) -> ErrorDetail | None:
    if not isinstance(metadata, tuple) and not hasattr(metadata, "__iter__"):
        return None
    for key, value in metadata:
        if key != _DETAILS or not isinstance(value, bytes):
            continue
        try:
            for one in Status.FromString(value).details:
                detail = ErrorDetail()
                if one.Unpack(detail):
                    return detail
        except DecodeError:
            # A detail that cannot be read is no detail: the status stands.
            return None
    return None


def from_rpc(error: _Failed) -> RemitError:
    """What an RPC's failure says."""
    status = error.code().name
    message = error.details() or status
    detail = _detail(error.trailing_metadata())
    if detail is None:
        never_sent = status == "UNAVAILABLE" and message.startswith(_NO_CONNECTION)
        kind = NeverSentError if never_sent else RemitError
        return kind(message, status=status, reason="transport", retryable=status in _TRANSPORT)
    return RemitError(
        f"{message}: {detail.fix}" if detail.fix else message,
        status=status,
        reason=detail.reason,
        field=detail.field,
        limit=detail.limit,
        fix=detail.fix,
        retryable=detail.retryable,
    )


def is_answered(error: RemitError) -> bool:
    """Whether Remit itself spoke, rather than something on the way."""
    return error.reason != "transport"


def is_caller_refused(error: RemitError) -> bool:
    """Whether Remit did not take the key or the token that says who calls."""
    return error.status == "UNAUTHENTICATED" and error.field == "authorization"


def is_expired(error: RemitError) -> bool:
    """Whether the session's token has run out."""
    return error.reason == "token_expired" and not is_caller_refused(error)


def decided_nothing(error: RemitError) -> bool:
    """Whether a Decide that failed with this error certainly left no record behind, and never will."""
    return isinstance(error, NeverSentError) or (is_answered(error) and error.status not in _OPEN)
