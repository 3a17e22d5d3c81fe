"""When to ask again, under one deadline."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import RemitError
from .rpc_error import decided_nothing

__all__ = ["GivenUpError", "Tries"]

WAIT_FIRST = 0.01
WAIT_MAX = 0.25


class GivenUpError(Exception):
    """No try was answered in time."""

    def __init__(self, last: RemitError | None) -> None:
        super().__init__("no try was answered")
        self.last = last

    def as_remit_error(self, where: str) -> RemitError:
        """The same to somebody who asked for no decision."""
        if self.last is not None:
            return self.last
        message = f"Remit at {where} did not answer in time"
        return RemitError(message, status="DEADLINE_EXCEEDED", reason="transport", retryable=True)


@dataclass
class Tries:
    """
    The tries of one request. Times are seconds on the monotonic clock.

    A second try starts beside the first one when that stays unanswered for `hedge`; after an error that may pass the
    next one starts a little later, each time somewhat more.
    """

    now: float
    deadline: float
    hedge: float | None = None
    random: Callable[[], float] = random.random
    started: int = 0
    running: int = 0
    failed: int = 0
    #: Tries after which a decision may stand that nobody here has seen.
    unseen: int = 0
    last: RemitError | None = None
    ends_at: float = field(init=False)
    next_at: float | None = field(init=False)

    def __post_init__(self) -> None:
        self.ends_at = self.now + self.deadline
        self.next_at = self.now

    def due(self, now: float) -> bool:
        """Whether a try is to start now."""
        return self.next_at is not None and self.next_at <= now < self.ends_at

    def over(self, now: float) -> bool:
        """Whether the time is up."""
        return now >= self.ends_at

    def left(self, now: float) -> float:
        """What is left of the deadline."""
        return max(0.0, self.ends_at - now)

    def wait(self, now: float) -> float:
        """How long to wait for an answer before looking again."""
        until = self.ends_at if self.next_at is None else min(self.next_at, self.ends_at)
        return max(0.0, until - now)

    def start(self, now: float) -> int:
        """Counts a try that starts; answers its number, from 0."""
        number = self.started
        self.started += 1
        self.running += 1
        self.unseen += 1
        first = number == 0 and self.hedge is not None
        self.next_at = now + self.hedge if first and self.hedge is not None else None
        return number

    def fail(self, now: float, error: RemitError) -> None:
        """Counts a try that failed. Raises the error when it is not worth another try."""
        self.running -= 1
        if decided_nothing(error):
            self.unseen -= 1
        self.last = error
        if not error.retryable:
            raise error
        self.failed += 1
        pause = min(WAIT_MAX, WAIT_FIRST * 2 ** min(self.failed - 1, 10)) * (0.5 + self.random() / 2)
        self.next_at = now + pause if self.next_at is None else min(self.next_at, now + pause)

    def anew(self, now: float) -> Tries:
        """The same tries after their answer was that something else is to be done first: what is left of the time."""
        self.running = 0
        self.next_at = now
        return self
