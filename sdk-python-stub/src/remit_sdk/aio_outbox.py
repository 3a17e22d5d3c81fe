"""Reports on their way, delivered by a task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ._gen import decision_pb2 as pb
from .book import Book
from .errors import RemitError
from .outbox import Undelivered, about, log, pause_before, worth_keeping

__all__ = ["AsyncOutbox"]

Holder = TypeVar("Holder")


class AsyncOutbox(Generic[Holder]):
    """Keeps reports until Remit has taken or refused them, over any number of reconnections."""

    def __init__(self, book: Book, deliver: Callable[[Holder, pb.ReportRequest], Awaitable[object]]) -> None:
        self._book = book
        self._deliver = deliver
        self._queue: deque[tuple[Holder, pb.ReportRequest]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.undelivered = Undelivered()

    def add(self, holder: Holder, request: pb.ReportRequest) -> None:
        """Takes a report. Never waits."""
        self._book.report_added()
        if self._closed:
            self._lose(request)
            return
        self._queue.append((holder, request))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="remit-reports")

    async def _work(self) -> None:
        failed = 0
        while self._queue:
            holder, request = self._queue[0]
            try:
                await self._deliver(holder, request)
            except RemitError as error:
                if worth_keeping(error):
                    failed += 1
                    if failed == 1:
                        log.warning("reports wait for Remit: %s", error)
                    await asyncio.sleep(pause_before(failed))
                    continue
                self.undelivered.refused += 1
                log.error("Remit refused the report of %s: %s", about(request), error)
            failed = 0
            self._queue.popleft()
            self._book.report_done(request.decision_id)

    def _lose(self, request: pb.ReportRequest) -> None:
        self.undelivered.lost += 1
        self._book.report_done(request.decision_id)
        log.error("the report of %s had not been taken by Remit when the client was closed", about(request))

    async def flush(self, timeout: float) -> bool:
        """Waits until nothing is queued; answers whether."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout)
        return not self._queue

    async def close(self, timeout: float) -> None:
        """Delivers what it can within the time. What is left is lost, and said to be."""
        await self.flush(timeout)
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        while self._queue:
            self._lose(self._queue.popleft()[1])
