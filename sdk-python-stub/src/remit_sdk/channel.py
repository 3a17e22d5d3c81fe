"""How the gRPC lane is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from ._gen import decision_pb2 as decision
from ._gen import session_pb2 as session
from .settings import Settings

__all__ = [
    "CLOSE_SESSION",
    "DECIDE",
    "GET_SESSION",
    "OPEN_SESSION",
    "OPTIONS",
    "RENEW_SESSION",
    "REPORT",
    "Material",
    "Method",
    "channels_of",
    "credentials",
    "material_of",
    "metadata",
    "replaced",
]

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


@dataclass(frozen=True)
class Method(Generic[Asked, Answered]):
    """One RPC."""

    path: str
    answer: type[Answered]
    request: type[Asked]


DECIDE = Method("/remit.v1.DecisionService/Decide", decision.DecideResponse, decision.DecideRequest)
REPORT = Method("/remit.v1.DecisionService/Report", decision.ReportResponse, decision.ReportRequest)
DELEGATE = Method("/remit.v1.SessionService/Delegate", session.DelegateResponse, session.DelegateRequest)
OPEN_SESSION = Method("/remit.v1.SessionService/OpenSession", session.OpenSessionResponse, session.OpenSessionRequest)
RENEW_SESSION = Method(
    "/remit.v1.SessionService/RenewSession", session.RenewSessionResponse, session.RenewSessionRequest
)
GET_SESSION = Method("/remit.v1.SessionService/GetSession", session.GetSessionResponse, session.GetSessionRequest)
CLOSE_SESSION = Method(
    "/remit.v1.SessionService/CloseSession", session.CloseSessionResponse, session.CloseSessionRequest
)

OPTIONS: list[tuple[str, Any]] = [
    # A channel of one's own is a connection of one's own: what one of them swallows the other may deliver.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # The environment's proxy is for the web, not for the decision point.
    ("grpc.enable_http_proxy", 0),
]


def channels_of(settings: Settings) -> list[str]:
    """The target of each channel: every address once, and a second connection to an only one."""
    addresses = list(settings.addresses)
    return addresses if len(addresses) > 1 else addresses * 2


#: What a channel was opened with: who is trusted, the key and the certificate. None: in clear text.
Material = tuple[bytes | None, bytes | None, bytes | None] | None


def material_of(settings: Settings) -> Material:
    """What the next channel is opened with: files are read now."""
    return None if settings.tls is None else settings.tls.read()


def credentials(material: tuple[bytes | None, bytes | None, bytes | None]) -> grpc.ChannelCredentials:
    """What a TLS channel trusts, and what it shows."""
    return grpc.ssl_channel_credentials(*material)


def replaced(settings: Settings, material: Material) -> bool:
    """Whether files hold something else than a channel was opened with."""
    try:
        return material_of(settings) != material
    except OSError:
        return False


def metadata(header: str | None, token: str | None = None) -> tuple[tuple[str, str], ...]:
    """The headers that say who speaks, and for which session."""
    caller = () if header is None else (("authorization", header),)
    return caller if token is None else (*caller, ("remit-session", token))
