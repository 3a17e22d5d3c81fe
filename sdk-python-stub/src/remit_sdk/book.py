"""Which calls are under way in this process, and which may not come in."""

from __future__ import annotations

import threading
from collections import OrderedDict

from .call import Asked
from .decision import Denied, deny_locally

__all__ = ["Book"]

GIVEN_UP_MAX = 10_000


class Book:
    """
    Calls under way, reports on their way, calls that were given up. Safe to use from many threads.

    A call comes in only while there is room for its report, so that no report is ever dropped for want of room.
    """

    def __init__(self, reports_max: int) -> None:
        self._lock = threading.Condition()
        self._reports_max = reports_max
        self._under_way: set[tuple[str, str]] = set()
        self._started: set[str] = set()
        # Their reports are by call id and may arrive at any time: a later attempt must not be hit by one.
        self._given_up: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._reports = 0
        self._closed = False

    @property
    def reports(self) -> int:
        """Reports that are on their way."""
        return self._reports

    def enter(self, asked: Asked) -> Denied | None:
        """Takes a call in, or says why not."""
        with self._lock:
            refused = self._refused(asked)
            if refused is None:
                self._under_way.add(asked.key)
        if refused is None:
            return None
        code, why = refused
        message = f"{asked.tool} was not run: {why}"
        return deny_locally(asked.tool, asked.call_id, code, message, retryable=code == "reports_full")

    def _refused(self, asked: Asked) -> tuple[str, str] | None:
        if self._closed:
            return "client_closed", "the client was closed."
        if asked.key in self._given_up:
            return "decision_expired", "this call was given up here. Ask under another call id."
        if asked.key in self._under_way:
            return "call_in_progress", "a call with this id is under way."
        if self._reports + len(self._under_way) >= self._reports_max:
            return "reports_full", "too many reports wait for Remit to take them."
        return None

    def leave(self, asked: Asked) -> None:
        """The call is over; its report, if it has one, was added before."""
        with self._lock:
            self._under_way.discard(asked.key)
            self._lock.notify_all()

    def start(self, decision_id: str) -> bool:
        """Notes that a decision is run here; False when it was before and its report is still under way."""
        with self._lock:
            if decision_id in self._started:
                return False
            self._started.add(decision_id)
            return True

    def give_up(self, asked: Asked) -> None:
        """Notes that a call's id is used up."""
        with self._lock:
            self._given_up[asked.key] = None
            if len(self._given_up) > GIVEN_UP_MAX:
                self._given_up.popitem(last=False)

    def report_added(self) -> None:
        """Counts a report that is on its way."""
        with self._lock:
            self._reports += 1

    def report_done(self, decision_id: str) -> None:
        """Counts a report that was taken, refused or lost."""
        with self._lock:
            self._reports -= 1
            self._started.discard(decision_id)

    def close(self, timeout: float = 0.0) -> bool:
        """Lets nothing in any more and waits for the calls under way; answers whether all are over."""
        with self._lock:
            self._closed = True
            return self._lock.wait_for(lambda: not self._under_way, timeout=timeout)

    def over(self) -> bool:
        """Whether no call is under way."""
        return not self._under_way
