"""Who this process says it is: a key for ever, or tokens of an issuer that are fetched before they end."""

from __future__ import annotations

import asyncio
import base64
import binascii
import inspect
import json
import math
import re
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from pathlib import Path
from typing import cast

from .errors import RemitError, misuse
from .rpc_error import NeverSentError, is_caller_refused
from .settings import Settings, TokenSource

__all__ = ["AsyncCredential", "Credential", "Tokens"]

#: What a token that does not say when it ends is used for, seconds.
OPAQUE = 60.0
#: A token is renewed when so much of its life is left, and no earlier than so long before its end.
LAST_PART = 0.1
LAST = 30.0
#: A token that was refused is not fetched anew more often than this, seconds.
REFUSED_EVERY = 1.0

_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def _ends_at(token: str) -> float:
    """When a JWT ends, seconds since 1970; infinity for what is none or does not say. Nothing of it is believed."""
    parts = token.split(".")
    if len(parts) != 3:
        return math.inf
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return math.inf


class Tokens:
    """The token that is held, and whether it will do. Knows neither threads nor tasks."""

    def __init__(self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._monotonic = monotonic
        self._header: str | None = None
        self._until = -math.inf
        self._end = -math.inf
        self._refused_at = -math.inf

    def usable(self) -> str | None:
        """The header, unless it is time for another."""
        return self._header if self._now() < self._until else None

    def take(self, text: object) -> str:
        """Holds what a source answered; answers the header. Raises `ValueError` for what is no token."""
        token = text.strip() if isinstance(text, str) else ""
        if not _PRINTABLE.fullmatch(token):
            raise ValueError("what was answered is no token")
        now, end = self._now(), _ends_at(token)
        self._until = now + OPAQUE if end == math.inf else end - min(LAST, (end - now) * LAST_PART)
        self._header, self._end = f"Bearer {token}", end
        return self._header

    def without(self, cause: BaseException) -> str:
        """What is held goes on until its end while its source is away. Raises `RemitError` when it has ended."""
        if self._header is not None and self._now() < self._end:
            return self._header
        raise no_token(str(cause) or type(cause).__name__) from cause

    def refused(self, header: str | None) -> bool:
        """Whether there may be another than the one that was refused: it is here, or the next use fetches it."""
        if header != self._header:
            return True
        now = self._monotonic()
        if now - self._refused_at < REFUSED_EVERY:
            return False
        self._refused_at, self._header, self._until = now, None, -math.inf
        return True


def no_token(why: str) -> RemitError:
    """There is nothing to speak to Remit with, so nothing was sent."""
    message = f"there is no token to speak to Remit with: {why}"
    return NeverSentError(message, status="UNAVAILABLE", reason="transport", retryable=True)


def _again(error: RemitError) -> RemitError:
    """The same error, worth another try."""
    return RemitError(
        str(error),
        status=error.status,
        reason=error.reason,
        field=error.field,
        limit=error.limit,
        fix=error.fix,
        retryable=True,
    )


def _read(source: TokenSource) -> str | Awaitable[str]:
    return source() if callable(source) else Path(source).read_text("utf-8")


class Credential:
    """What says who calls, for threads."""

    def __init__(self, settings: Settings, tokens: Tokens | None = None) -> None:
        self._constant = f"Bearer {settings.key}" if settings.key else None
        self._source = settings.token
        self._tokens = tokens or Tokens()
        self._lock = threading.Lock()
        self._under: Future[str] | None = None
        if inspect.iscoroutinefunction(self._source):
            fix = "pass a plain function, or use AsyncClient"
            raise misuse("token", "token is a coroutine function", fix, "configuration_invalid")

    def header(self, timeout: float) -> str | None:
        """The `authorization` header, None where a certificate says who calls. Raises `RemitError` without one."""
        if self._source is None:
            return self._constant
        with self._lock:
            if (held := self._tokens.usable()) is not None:
                return held
            if self._under is None:
                self._under = Future()
                # In a thread of its own: a source that hangs delays nobody beyond a deadline.
                threading.Thread(target=self._fetch, args=(self._under,), name="remit-token", daemon=True).start()
            under = self._under
        try:
            return under.result(timeout)
        except LateError:
            raise no_token("it did not come in time") from None

    def _fetch(self, under: Future[str]) -> None:
        header: str | None = None
        failed: BaseException | None = None
        try:
            text = _read(cast(TokenSource, self._source))
            with self._lock:
                header = self._tokens.take(text)
        except Exception as cause:
            try:
                with self._lock:
                    header = self._tokens.without(cause)
            except RemitError as error:
                failed = error
        with self._lock:
            self._under = None
        if header is not None:
            under.set_result(header)
        else:
            under.set_exception(failed)

    def after(self, header: str | None, error: RemitError) -> RemitError:
        """The error of a try; worth another one where its token was refused and there may be a better one."""
        if self._source is None or not is_caller_refused(error):
            return error
        with self._lock:
            return _again(error) if self._tokens.refused(header) else error


class AsyncCredential:
    """What says who calls, for asyncio."""

    def __init__(self, settings: Settings, tokens: Tokens | None = None) -> None:
        self._constant = f"Bearer {settings.key}" if settings.key else None
        self._source = settings.token
        self._tokens = tokens or Tokens()
        self._under: asyncio.Task[str] | None = None

    async def header(self) -> str | None:
        """The `authorization` header, None where a certificate says who calls. Raises `RemitError` without one."""
        if self._source is None:
            return self._constant
        if (held := self._tokens.usable()) is not None:
            return held
        if self._under is None:
            self._under = asyncio.create_task(self._fetch())
            self._under.add_done_callback(self._fetched)
        # Who waits may be cancelled; the others still want it.
        return await asyncio.shield(self._under)

    async def _fetch(self) -> str:
        source = cast(TokenSource, self._source)
        try:
            # What may block does so in a thread.
            text = _read(source) if inspect.iscoroutinefunction(source) else await asyncio.to_thread(_read, source)
            return self._tokens.take(await text if inspect.isawaitable(text) else text)
        except Exception as cause:
            return self._tokens.without(cause)

    def _fetched(self, task: asyncio.Task[str]) -> None:
        self._under = None
        if not task.cancelled():
            # Looked at, in case nobody waits any more.
            task.exception()

    def after(self, header: str | None, error: RemitError) -> RemitError:
        """The error of a try; worth another one where its token was refused and there may be a better one."""
        if self._source is None or not is_caller_refused(error):
            return error
        return _again(error) if self._tokens.refused(header) else error

    def close(self) -> None:
        """Fetches nothing any more."""
        if self._under is not None:
            self._under.cancel()
