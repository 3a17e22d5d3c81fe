"""Reports on their way, delivered by a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ._gen import decision_pb2 as pb
from .book import Book
from .errors import RemitError
from .rpc_error import is_answered

__all__ = ["Outbox", "Undelivered", "pause_before"]

log = logging.getLogger("remit_sdk")

Holder = TypeVar("Holder")

WAIT_FIRST = 0.05
WAIT_MAX = 5.0


@dataclass(slots=True)
class Undelivered:
    """What became of reports that were not taken."""

    #: Reports that Remit would not take.
    refused: int = 0
    #: Reports that were left when the client was closed.
    lost: int = 0


def pause_before(failed: int) -> float:
    """How long to wait after so many failures in a row, seconds."""
    return min(WAIT_MAX, WAIT_FIRST * 2.0 ** min(failed - 1, 10))


def worth_keeping(error: RemitError) -> bool:
    """Whether a report is tried again: what only something on the way has said, a proxy perhaps, is no answer."""
    return error.retryable or not is_answered(error)


class Outbox(Generic[Holder]):
    """Keeps reports until Remit has taken or refused them, over any number of reconnections."""

    def __init__(self, book: Book, deliver: Callable[[Holder, pb.ReportRequest], object]) -> None:
        self._book = book
        self._deliver = deliver
        self._queue: deque[tuple[Holder, pb.ReportRequest]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self.undelivered = Undelivered()

    def add(self, holder: Holder, request: pb.ReportRequest) -> None:
        """Takes a report. Never waits."""
        with self._changed:
            self._book.report_added()
            if self._closing:
                self._lose(request)
                return
            self._queue.append((holder, request))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="remit-reports", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        failed = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._closing and not self._queue:
                    return
                holder, request = self._queue[0]
            try:
                self._deliver(holder, request)
            except RemitError as error:
                if worth_keeping(error):
                    failed += 1
                    if failed == 1:
                        log.warning("reports wait for Remit: %s", error)
                    with self._changed:
                        if self._changed.wait_for(lambda: self._closing, timeout=pause_before(failed)):
                            return
                    continue
                self.undelivered.refused += 1
                log.error("Remit refused the report of %s: %s", about(request), error)
            failed = 0
            with self._changed:
                # Closing may have emptied it meanwhile.
                if self._queue and self._queue[0][1] is request:
                    self._queue.popleft()
                    self._book.report_done(request.decision_id)
                self._changed.notify_all()

    def _lose(self, request: pb.ReportRequest) -> None:
        self.undelivered.lost += 1
        self._book.report_done(request.decision_id)
        log.error("the report of %s had not been taken by Remit when the client was closed", about(request))

    def flush(self, timeout: float) -> bool:
        """Waits until nothing is queued; answers whether."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, timeout=timeout)

    def close(self, timeout: float) -> None:
        """Delivers what it can within the time. What is left is lost, and said to be."""
        ends = time.monotonic() + timeout
        self.flush(timeout)
        with self._changed:
            self._closing = True
            left = list(self._queue)
            self._queue.clear()
            for _, request in left:
                self._lose(request)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(max(0.1, ends - time.monotonic()))


def about(request: pb.ReportRequest) -> str:
    """What a report is about, for the log."""
    return f"decision {request.decision_id}" if request.decision_id else f"call {request.call_id}"
