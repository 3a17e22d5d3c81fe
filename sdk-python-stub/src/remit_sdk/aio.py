"""The client for asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from google.protobuf.message import Message

from ._gen import decision_pb2 as decision_pb
from ._gen import session_pb2 as session_pb
from .aio_outbox import AsyncOutbox
from .aio_wire import AsyncWire
from .book import Book
from .call import Asked
from .channel import CLOSE_SESSION, DECIDE, DELEGATE, GET_SESSION, OPEN_SESSION, RENEW_SESSION, REPORT, Method
from .client import STEADY
from .decision import Amount, Decision, Outcome, PausedCall, Permitted, Reported
from .errors import DeniedError, RemitError
from .outbox import Undelivered
from .ready import NOBODY, not_ready
from .report import Report, read_reported, write_report
from .resolve import (
    CallMore,
    Release,
    ReportMore,
    ToolOptions,
    already_executed,
    answered,
    paused_ask,
    permitted_or_raise,
    takes_run,
    unanswered,
)
from .rpc_error import is_expired
from .run import Run, is_late, outcome_of, refuse_late
from .sessions import DelegationOptions, SessionData, SessionOptions, delegate_request, given, open_request
from .settings import Settings, TlsFiles, TokenSource, settle
from .tries import GivenUpError, Tries

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AsyncClient", "AsyncGuarded", "AsyncSession"]

Output = TypeVar("Output")
Sent = TypeVar("Sent", bound=Message)
Answered = TypeVar("Answered", bound=Message)


class AsyncSession:
    """One run of one agent for one principal. Its token stays inside the client."""

    def __init__(self, client: AsyncClient, data: SessionData) -> None:
        self._client = client
        self._data = data
        #: Held while a token is renewed, so that it is renewed once.
        self.renewing = asyncio.Lock()

    @property
    def id(self) -> str:
        """UUIDv7."""
        return self._data.id

    @property
    def agent(self) -> str:
        """The registered agent that runs."""
        return self._data.agent

    @property
    def data(self) -> SessionData:
        """All that is known of it."""
        return self._data

    async def delegate(self, **options: Unpack[DelegationOptions]) -> AsyncSession:
        """
        Opens a session for another agent under this one: for the same principal, with no more than this one has.

        Raises `RemitError`: `scope_exceeded` names every excess, `depth_exceeded`, `delegation_circular`.
        """
        return await self._client._delegate(self, delegate_request(options))

    async def renew(self) -> None:
        """Gets a new token now. The client does so by itself before the old one expires."""
        await self._client._renew(self)

    async def close(self) -> None:
        """Closes it and all that was delegated from it. Calls that run go on and are reported."""
        await self._client._steadily(CLOSE_SESSION, session_pb.CloseSessionRequest(session_id=self.id))

    def __repr__(self) -> str:
        return f"AsyncSession({self.id}, agent={self.agent})"


class AsyncGuarded(Generic[Output]):
    """A tool that is asked about before it runs, and reported afterwards."""

    def __init__(
        self,
        client: AsyncClient,
        tool: str,
        options: ToolOptions,
        work: Callable[[dict[str, Any], Run], Awaitable[Output]],
    ) -> None:
        self._client = client
        self._options = options
        self._work = work
        #: The tool's registered name.
        self.tool = tool

    async def __call__(self, session: AsyncSession, input: Mapping[str, Any], **more: Unpack[CallMore]) -> Output:
        """
        Runs what was decided, or raises why not.

        `DeniedError`, `PausedError`, `RemitError`: it did not run. `ConstraintError`: it did. Anything else was
        raised by the tool.
        """
        asked = self._options.asked(self.tool, session.id, input, self._client.settings, more)
        return await self._client._guarded(session, asked, self._work)

    async def resume(
        self,
        session: AsyncSession,
        paused: PausedCall,
        **more: Unpack[CallMore],
    ) -> Output:
        """Asks a paused call again, with its own call id, and runs it when it may run now."""
        return await self(session, paused.input, **paused_ask(session.id, paused, more))


class AsyncClient:
    """
    Asks Remit, from one event loop. It takes what `Client` takes; make it where the loop runs.

    `token` may be a coroutine function, too; a plain one runs in a thread.
    """

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        key: str | None = None,
        token: TokenSource | None = None,
        tls: TlsFiles | Literal["insecure"] | None = None,
        deadline: float = 1.0,
        hedge: float = 0.25,
        reports_max: int = 1000,
        supported_constraints: Sequence[str] = (),
    ) -> None:
        self.settings: Settings = settle(
            address=address,
            key=key,
            token=token,
            tls=tls,
            deadline=deadline,
            hedge=hedge,
            reports_max=reports_max,
            supported_constraints=supported_constraints,
        )
        self._wire = AsyncWire(self.settings)
        self._book = Book(self.settings.reports_max)
        self._outbox: AsyncOutbox[AsyncSession] = AsyncOutbox(self._book, self._tell)

    async def ready(self, timeout: float = STEADY) -> None:
        """Waits until Remit serves at the address and knows the key. Raises `RemitError` that says what to mend."""
        request = session_pb.GetSessionRequest(session_id=NOBODY)
        try:
            await self._wire.ask(GET_SESSION, request, None, Tries(time.monotonic(), timeout))
        except (RemitError, GivenUpError) as error:
            if (why := not_ready(self.settings, error)) is not None:
                raise why from error

    async def open_session(self, **options: Unpack[SessionOptions]) -> AsyncSession:
        """Opens a session for an agent that this caller is bound to."""
        return AsyncSession(self, given(await self._steadily(OPEN_SESSION, open_request(options))))

    async def adopt_session(self, session_id: str) -> AsyncSession:
        """Goes on with a session of another process, by its id."""
        request = session_pb.RenewSessionRequest(session_id=session_id)
        return AsyncSession(self, given(await self._steadily(RENEW_SESSION, request)))

    async def decide(
        self, session: AsyncSession, tool: str, input: Mapping[str, Any], **more: Unpack[CallMore]
    ) -> Decision:
        """Asks about one call. Every effect is a value, denials too; you run and report."""
        asked = ToolOptions().asked(tool, session.id, input, self.settings, more)
        if (refused := self._book.enter(asked)) is not None:
            return refused
        try:
            return await self._decide(session, asked)
        finally:
            self._book.leave(asked)

    async def resume(
        self,
        session: AsyncSession,
        paused: PausedCall,
        **more: Unpack[CallMore],
    ) -> Decision:
        """Asks a paused call again, with its own call id; like `decide`."""
        return await self.decide(session, paused.tool, paused.input, **paused_ask(session.id, paused, more))

    async def report(self, session: AsyncSession, outcome: Outcome, **more: Unpack[ReportMore]) -> Reported:
        """Tells what became of a call, by `decision_id` or `call_id`; returns when Remit has taken it."""
        request = write_report(Report(outcome=outcome, **more))
        return read_reported(await self._tell(session, request))

    def guard(
        self,
        tool: str,
        *,
        estimate: Callable[[Mapping[str, Any]], Iterable[Amount]] | None = None,
        supported_constraints: Iterable[str] = (),
        schema_digest: str = "",
    ) -> Callable[[Callable[..., Awaitable[Output]]], AsyncGuarded[Output]]:
        """
        Binds a coroutine function to a tool, so that what runs is what was decided.

        The function gets a fresh copy of the input that was decided, and the `Run` if it takes two arguments. What it
        gives is called with the session and the proposed input.
        """
        options = ToolOptions(
            estimate=estimate, supported_constraints=tuple(supported_constraints), schema_digest=schema_digest
        )

        def bind(work: Callable[..., Awaitable[Output]]) -> AsyncGuarded[Output]:
            if not inspect.iscoroutinefunction(work):
                raise TypeError(f"{tool} is no coroutine function: bind it with Client.guard")
            return AsyncGuarded(self, tool, options, work if takes_run(work) else lambda given, _: work(given))

        return bind

    async def flush(self, timeout: float = STEADY) -> bool:
        """Waits until Remit has taken every report; answers whether it has."""
        return await self._outbox.flush(timeout)

    async def close(self, timeout: float = STEADY) -> None:
        """Lets no call in any more, waits for those that run and for their reports, and closes the connections."""
        ends = time.monotonic() + timeout
        self._book.close()
        while not self._book.over() and time.monotonic() < ends:  # noqa: ASYNC110 - its calls are few
            await asyncio.sleep(0.01)
        await self._outbox.close(max(0.0, ends - time.monotonic()))
        await self._wire.close()

    @property
    def undelivered(self) -> Undelivered:
        """Reports that Remit refused, or that were lost when the client was closed."""
        return self._outbox.undelivered

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    async def _steadily(
        self, method: Method[Sent, Answered], request: Sent, session: AsyncSession | None = None
    ) -> Answered:
        """Asks again and again for some seconds: for all that may be asked twice and is no decision."""
        token = None if session is None else session.data.token
        try:
            return await self._wire.ask(method, request, token, Tries(time.monotonic(), STEADY))
        except GivenUpError as error:
            raise error.as_remit_error(self.settings.where) from error

    async def _delegate(self, session: AsyncSession, request: session_pb.DelegateRequest) -> AsyncSession:
        if session.data.needs_renewal():
            await self._renew(session)
        return AsyncSession(self, given(await self._steadily(DELEGATE, request, session)))

    async def _renew(self, session: AsyncSession) -> None:
        before = session.data.token
        async with session.renewing:
            # Somebody else may have done it meanwhile.
            if session.data.token == before:
                request = session_pb.RenewSessionRequest(session_id=session.id)
                session.data.renewed(await self._steadily(RENEW_SESSION, request))

    async def _tell(self, session: AsyncSession, request: decision_pb.ReportRequest) -> decision_pb.ReportResponse:
        try:
            return await self._steadily(REPORT, request, session)
        except RemitError as error:
            # A token that ran out still reports for a day.
            if not is_expired(error):
                raise
            await self._renew(session)
            return await self._steadily(REPORT, request, session)

    async def _ask(self, session: AsyncSession, asked: Asked, tries: Tries) -> decision_pb.DecideResponse:
        try:
            return await self._wire.ask(DECIDE, asked.request, session.data.token, tries)
        except RemitError as error:
            if not is_expired(error):
                raise
        await self._renew(session)
        return await self._wire.ask(DECIDE, asked.request, session.data.token, tries.anew(time.monotonic()))

    async def _decide(self, session: AsyncSession, asked: Asked) -> Decision:
        """Asks about a call that was let in. What is not run though Remit may think so is reported."""
        tries = Tries(time.monotonic(), self.settings.deadline, self.settings.hedge)
        try:
            if session.data.needs_renewal():
                await self._renew(session)
            decision, release = answered(asked, await self._ask(session, asked, tries))
        except (RemitError, GivenUpError) as error:
            outcome, release = unanswered(asked, self.settings, tries, error)
            self._release(session, asked, release)
            if isinstance(outcome, RemitError):
                raise outcome from error
            return outcome
        except asyncio.CancelledError:
            if tries.unseen > 0:
                self._release(session, asked, Release())
            raise
        self._release(session, asked, release)
        return decision

    def _release(self, session: AsyncSession, asked: Asked, release: Release | None) -> None:
        if release is None:
            return
        if not release.decision_id:
            self._book.give_up(asked)
        self._outbox.add(session, write_report(release.report(asked)))

    async def _guarded(
        self, session: AsyncSession, asked: Asked, work: Callable[[dict[str, Any], Run], Awaitable[Output]]
    ) -> Output:
        if (refused := self._book.enter(asked)) is not None:
            raise DeniedError(refused)
        try:
            asked_at = time.monotonic()
            permitted = permitted_or_raise(await self._decide(session, asked))
            if not self._book.start(permitted.decision_id):
                raise already_executed(permitted)
            if is_late(permitted, asked_at):
                self._outbox.add(session, write_report(Release(permitted.decision_id).report(asked)))
                raise refuse_late(permitted)
            return await self._execute(session, permitted, work)
        finally:
            self._book.leave(asked)

    async def _execute(
        self,
        session: AsyncSession,
        permitted: Permitted,
        work: Callable[[dict[str, Any], Run], Awaitable[Output]],
    ) -> Output:
        run = Run(permitted)
        try:
            output = await within(run, work(permitted.input, run))
        except BaseException as error:
            self._outbox.add(session, write_report(run.report(outcome_of(error))))
            raise
        self._outbox.add(session, write_report(run.report("succeeded", output)))
        run.check_output(output)
        return output


async def within(run: Run, work: Awaitable[Output]) -> Output:
    """What the work gives; it is cancelled when it takes longer than it may, and `ConstraintError` is raised."""
    if run.limits.timeout is None:
        return await work
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=run.limits.timeout)
        if task.done():
            return task.result()
        raise run.timed_out()
    finally:
        # Also when the caller itself was cancelled.
        task.cancel()
