"""The options of a client, checked and complete."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .constraint import OWN_CONSTRAINTS
from .errors import RemitError, misuse

__all__ = ["Settings", "TlsFiles", "settle"]

ADDRESSES_MAX = 64

_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})", re.ASCII)
_LOOPBACK = re.compile(r"localhost|\[::1\]|127(\.\d{1,3}){3}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM texts. Without authorities the system's are trusted; a client certificate needs its key."""

    ca: bytes | None = None
    cert: bytes | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach Remit, and how long to wait for it."""

    addresses: tuple[str, ...]
    key: str
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


def _choose_key(key: str | None, environment: Mapping[str, str]) -> str:
    chosen = key if key is not None else environment.get("REMIT_API_KEY", "")
    if chosen == "":
        fix = "set REMIT_API_KEY or pass key; `remit serve` prints one at its first start"
        raise _invalid("key", f"no API key for Remit: {fix}", fix)
    # A header cannot hold it, and the error must not show it.
    if not _PRINTABLE.fullmatch(chosen):
        raise _invalid("key", "the API key holds blanks or control characters", "copy it whole")
    return chosen


def _choose_tls(tls: TlsFiles | Literal["insecure"] | None, loopback: bool) -> TlsFiles | None:
    if tls == "insecure":
        return None
    if tls is None:
        return None if loopback else TlsFiles()
    if (tls.cert is None) != (tls.key is None):
        raise _invalid("tls", "a client certificate needs its key, and a key its certificate", "pass both")
    return tls


def _positive(field: str, value: float) -> float:
    if value > 0:
        return value
    raise _invalid(field, f"{field} must be above 0, got {value}", f"leave {field} out, or pass more")


def settle(
    *,
    address: str | Sequence[str] | None,
    key: str | None,
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
    return Settings(
        addresses=addresses,
        key=_choose_key(key, environment),
        tls=_choose_tls(tls, loopback),
        deadline=_positive("deadline", deadline),
        hedge=_positive("hedge", hedge),
        reports_max=int(_positive("reports_max", reports_max)),
        supported=frozenset({*OWN_CONSTRAINTS, *supported_constraints}),
    )
