"""The options of a client, checked and complete."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from .constraint import OWN_CONSTRAINTS
from .errors import RemitError, misuse

__all__ = ["Settings", "TlsFiles", "TokenSource", "settle"]

ADDRESSES_MAX = 64

#: Where tokens of an issuer come from: a function that answers one, or the path of a file in which one is renewed.
TokenSource: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]] | os.PathLike[str]

_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})", re.ASCII)
_LOOPBACK = re.compile(r"localhost|\[::1\]|127(\.\d{1,3}){3}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM texts, or paths of files that hold them.

    Files are read anew for every channel that is opened. Without authorities the system's are trusted; a client
    certificate needs its key.
    """

    ca: bytes | os.PathLike[str] | None = None
    cert: bytes | os.PathLike[str] | None = None
    key: bytes | os.PathLike[str] | None = None

    def read(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """What is trusted, the key and the certificate. Raises `OSError` for a file that cannot be read."""
        return (_pem(self.ca), _pem(self.key), _pem(self.cert))


def _pem(value: bytes | os.PathLike[str] | None) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else Path(value).read_bytes()


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach Remit, and how long to wait for it."""

    addresses: tuple[str, ...]
    #: Empty: tokens or a client certificate say who calls.
    key: str
    #: None: there is a key, or a client certificate alone.
    token: TokenSource | None
    #: None: in clear text.
    tls: TlsFiles | None
    #: How long a decision may take in all, seconds.
    deadline: float
    #: When an unanswered decision is asked again on another connection, seconds.
    hedge: float
    reports_max: int
    supported: frozenset[str]

    @property
    def where(self) -> str:
        """The addresses, as errors name them."""
        return ", ".join(self.addresses)

    def __repr__(self) -> str:
        return f"Settings({self.where})"


def _invalid(field: str, message: str, fix: str) -> RemitError:
    return misuse(field, message, fix, "configuration_invalid")


def _is_loopback(address: str) -> bool:
    match = _HOST_PORT.fullmatch(address)
    if match is None or not 0 < int(match[2]) <= 65535:
        raise _invalid("address", f"{address!r} is not an address", "write host:port, such as 127.0.0.1:7081")
    return _LOOPBACK.fullmatch(match[1].lower()) is not None


def _choose_addresses(address: str | Sequence[str] | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    given = address if address is not None else environment.get("REMIT_ADDRESS") or "127.0.0.1:7081"
    texts = [given] if isinstance(given, str) else list(given)
    each = tuple(dict.fromkeys(one.strip() for text in texts for one in text.split(",")))
    if 0 < len(each) <= ADDRESSES_MAX:
        return each
    raise _invalid("address", f"a client takes 1 to {ADDRESSES_MAX} addresses, got {len(each)}", "name so many")


def _choose_token(key: str | None, token: TokenSource | None, environment: Mapping[str, str]) -> TokenSource | None:
    """Where tokens come from, unless a key was given."""
    if key is not None and token is not None:
        raise _invalid("token", "a client has a key or tokens", "pass one of the two")
    if token is not None and not callable(token) and not isinstance(token, os.PathLike):
        raise _invalid("token", "token is neither a function nor a path", "pass a function, or pathlib.Path(...)")
    if key is not None or token is not None:
        return token
    names = [name for name in ("REMIT_API_KEY", "REMIT_TOKEN", "REMIT_TOKEN_FILE") if environment.get(name)]
    if len(names) > 1:
        raise _invalid("token", "more than one credential is set", f"set one of {' and '.join(names)}")
    if file := environment.get("REMIT_TOKEN_FILE"):
        return Path(file)
    given = environment.get("REMIT_TOKEN")
    return (lambda: given) if given else None


def _choose_key(
    key: str | None, token: TokenSource | None, tls: TlsFiles | None, environment: Mapping[str, str]
) -> str:
    if token is not None:
        return ""
    chosen = key if key is not None else environment.get("REMIT_API_KEY", "")
    if chosen == "" and tls is not None and tls.cert is not None:
        return ""
    if chosen == "":
        fix = "set REMIT_API_KEY or pass key; `remit serve` prints one at its first start"
        raise _invalid("key", f"no API key for Remit: {fix}", fix)
    # A header cannot hold it, and the error must not show it.
    if not _PRINTABLE.fullmatch(chosen):
        raise _invalid("key", "the API key holds blanks or control characters", "copy it whole")
    return chosen


def _from_environment(environment: Mapping[str, str]) -> TlsFiles | None:
    paths = [environment.get(f"REMIT_TLS_{name}_FILE") for name in ("TRUST", "CERTIFICATE", "KEY")]
    ca, cert, key = (Path(path) if path else None for path in paths)
    return None if ca is None and cert is None and key is None else TlsFiles(ca, cert, key)


def _choose_tls(
    tls: TlsFiles | Literal["insecure"] | None, loopback: bool, environment: Mapping[str, str]
) -> TlsFiles | None:
    if tls == "insecure":
        return None
    given = tls or _from_environment(environment)
    if given is None:
        return None if loopback else TlsFiles()
    if (given.cert is None) != (given.key is None):
        raise _invalid("tls", "a client certificate needs its key, and a key its certificate", "pass both")
    try:
        given.read()
    except OSError as error:
        raise _invalid(
            "tls", f"a file for TLS cannot be read: {error}", "name files that this user may read"
        ) from error
    return given


def _positive(field: str, value: float) -> float:
    if value > 0:
        return value
    raise _invalid(field, f"{field} must be above 0, got {value}", f"leave {field} out, or pass more")


def settle(
    *,
    address: str | Sequence[str] | None,
    key: str | None,
    token: TokenSource | None = None,
    tls: TlsFiles | Literal["insecure"] | None,
    deadline: float,
    hedge: float,
    reports_max: int,
    supported_constraints: Sequence[str],
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Checks options and fills in what was left out. Raises `RemitError` `configuration_invalid` with the fix."""
    addresses = _choose_addresses(address, environment)
    loopback = all([_is_loopback(one) for one in addresses])
    chosen = _choose_tls(tls, loopback, environment)
    source = _choose_token(key, token, environment)
    return Settings(
        addresses=addresses,
        key=_choose_key(key, source, chosen, environment),
        token=source,
        tls=chosen,
        deadline=_positive("deadline", deadline),
        hedge=_positive("hedge", hedge),
        reports_max=int(_positive("reports_max", reports_max)),
        supported=frozenset({*OWN_CONSTRAINTS, *supported_constraints}),
    )
