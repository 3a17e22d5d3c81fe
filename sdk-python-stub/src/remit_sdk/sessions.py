"""One run of one agent for one principal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol, TypedDict
from uuid import uuid4

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ._gen import common_pb2
from ._gen import session_pb2 as pb
from .decision import Amount
from .errors import misuse

if TYPE_CHECKING:
    from typing_extensions import Required

__all__ = [
    "DelegationOptions",
    "Principal",
    "SessionData",
    "SessionOptions",
    "delegate_request",
    "given",
    "open_request",
]

#: A token with less than this left is renewed before it is used, seconds.
RENEW_AHEAD = 60.0


@dataclass(frozen=True, slots=True)
class Principal:
    """The human or service on whose behalf an agent acts."""

    id: str
    labels: Mapping[str, str] = field(default_factory=dict)


class SessionOptions(TypedDict, total=False):
    """What a session is opened for."""

    #: The registered agent that runs.
    agent: Required[str]
    #: Who it acts for, asserted by this caller: a `Principal` or an id. Left out: it acts for the caller itself.
    principal: Principal | str
    #: A token of a configured issuer that proves who it acts for.
    subject_token: str
    purpose: str
    #: As in the JSON of the wire: {"tools": ["payments.*"], "bounds": [...]}. Left out: all the agent's ceiling allows.
    scope: Mapping[str, Any]
    #: Names of budgets that must stop it when they run out: hard ones that cover it, or it is not opened.
    budgets: Iterable[str]
    #: At most 30 days, seconds; 24 hours when left out.
    max_lifetime: int
    #: Opening again with the same run id answers the same session. A random UUID when left out.
    run_id: str
    labels: Mapping[str, str]
    agent_version: str
    model: str
    prompt_digest: str
    framework: str


class DelegationOptions(TypedDict, total=False):
    """What a session hands to another agent."""

    #: A registered agent that is not in the chain yet. This caller must be bound to it.
    agent: Required[str]
    #: A subset of the session's own, as in the JSON of the wire. Without an expiresAt it ends with that.
    scope: Required[Mapping[str, Any]]
    #: What it and everything below it may spend, at most one amount a unit; beside all budgets that cover it anyway.
    budget: Iterable[Amount]
    purpose: str
    #: At most what the session has left, seconds, which is the default.
    max_lifetime: int
    #: Delegating again with the same run id answers the same session. A random UUID when left out.
    run_id: str
    labels: Mapping[str, str]
    agent_version: str
    model: str
    prompt_digest: str
    framework: str


def _read_scope(scope: Mapping[str, Any], into: Message) -> None:
    try:
        ParseDict(dict(scope), into)
    except ParseError as error:
        raise misuse("scope", f"the scope cannot be read: {error}", "write it as docs/policy.md does") from error
    # An empty scope grants nothing; one that was left out grants everything.
    into.SetInParent()


def delegate_request(options: DelegationOptions) -> pb.DelegateRequest:
    """The request that delegates. Raises `RemitError` for a scope that is none."""
    request = pb.DelegateRequest(
        agent=options["agent"],
        budget=[common_pb2.Amount(unit=one.unit, value=one.value) for one in options.get("budget", ())],
        purpose=options.get("purpose", ""),
        max_lifetime_seconds=options.get("max_lifetime", 0),
        run_id=options.get("run_id") or str(uuid4()),
        labels=dict(options.get("labels", {})),
        agent_version=options.get("agent_version", ""),
        model=options.get("model", ""),
        prompt_digest=options.get("prompt_digest", ""),
        framework=options.get("framework", ""),
    )
    _read_scope(options["scope"], request.scope)
    return request


def open_request(options: SessionOptions) -> pb.OpenSessionRequest:
    """The request that opens a session. Raises `RemitError` for a scope that is none."""
    request = pb.OpenSessionRequest(
        agent=options["agent"],
        purpose=options.get("purpose", ""),
        budgets=list(options.get("budgets", ())),
        max_lifetime_seconds=options.get("max_lifetime", 0),
        run_id=options.get("run_id") or str(uuid4()),
        labels=dict(options.get("labels", {})),
        agent_version=options.get("agent_version", ""),
        model=options.get("model", ""),
        prompt_digest=options.get("prompt_digest", ""),
        framework=options.get("framework", ""),
    )
    if "subject_token" in options:
        request.subject_token = options["subject_token"]
    elif "principal" in options:
        principal = options["principal"]
        known = Principal(principal) if isinstance(principal, str) else principal
        request.principal.CopyFrom(pb.Principal(id=known.id, labels=dict(known.labels)))
    if "scope" in options:
        _read_scope(options["scope"], request.scope)
    return request


class _Given(Protocol):
    @property
    def session(self) -> pb.Session: ...

    @property
    def token(self) -> str: ...

    @property
    def token_expires_at(self) -> Timestamp: ...


@dataclass
class SessionData:
    """What is known of a session. Its token stays inside the client."""

    #: UUIDv7.
    id: str
    agent: str
    principal: Principal
    run_id: str
    #: No renewal reaches beyond it.
    expires_at: datetime
    token: str = field(repr=False)
    #: Seconds since 1970, by this machine's clock.
    token_expires_at: float

    def needs_renewal(self) -> bool:
        """Whether the token ends soon and another one could live longer."""
        ends = self.expires_at.timestamp()
        return time.time() > self.token_expires_at - RENEW_AHEAD and self.token_expires_at < ends

    def renewed(self, given: _Given) -> None:
        """Takes another token."""
        self.token = given.token
        self.token_expires_at = float(given.token_expires_at.ToSeconds())


def given(answer: _Given) -> SessionData:
    """The session that an answer tells of."""
    wire = answer.session
    return SessionData(
        id=wire.id,
        agent=wire.agent,
        principal=Principal(wire.principal.id, dict(wire.principal.labels)),
        run_id=wire.run_id,
        expires_at=wire.expires_at.ToDatetime(tzinfo=timezone.utc),
        token=answer.token,
        token_expires_at=float(answer.token_expires_at.ToSeconds()),
    )
