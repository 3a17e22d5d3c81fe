"""The client for threads."""

from __future__ import annotations

import contextvars
import inspect
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from google.protobuf.message import Message

from ._gen import decision_pb2 as decision_pb
from ._gen import session_pb2 as session_pb
from .book import Book
from .call import Asked
from .channel import CLOSE_SESSION, DECIDE, DELEGATE, GET_SESSION, OPEN_SESSION, RENEW_SESSION, REPORT, Method
from .decision import Amount, Decision, Outcome, PausedCall, Permitted, Reported
from .errors import DeniedError, RemitError
from .outbox import Outbox, Undelivered
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
from .wire import Wire

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Client", "Guarded", "Session"]

Output = TypeVar("Output")
Sent = TypeVar("Sent", bound=Message)
Answered = TypeVar("Answered", bound=Message)

#: For everything but decisions, seconds.
STEADY = 5.0


class Session:
    """One run of one agent for one principal. Its token stays inside the client."""

    def __init__(self, client: Client, data: SessionData) -> None:
        self._client = client
        self._data = data
        #: Held while a token is renewed, so that it is renewed once.
        self.renewing = threading.Lock()

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

    def delegate(self, **options: Unpack[DelegationOptions]) -> Session:
        """
        Opens a session for another agent under this one: for the same principal, with no more than this one has.

        Raises `RemitError`: `scope_exceeded` names every excess, `depth_exceeded`, `delegation_circular`.
        """
        return self._client._delegate(self, delegate_request(options))

    def renew(self) -> None:
        """Gets a new token now. The client does so by itself before the old one expires."""
        self._client._renew(self)

    def close(self) -> None:
        """Closes it and all that was delegated from it. Calls that run go on and are reported."""
        self._client._steadily(CLOSE_SESSION, session_pb.CloseSessionRequest(session_id=self.id))

    def __repr__(self) -> str:
        return f"Session({self.id}, agent={self.agent})"


class Guarded(Generic[Output]):
    """A tool that is asked about before it runs, and reported afterwards."""

    def __init__(
        self, client: Client, tool: str, options: ToolOptions, work: Callable[[dict[str, Any], Run], Output]
    ) -> None:
        self._client = client
        self._options = options
        self._work = work
        #: The tool's registered name.
        self.tool = tool

    def __call__(self, session: Session, input: Mapping[str, Any], **more: Unpack[CallMore]) -> Output:
        """
        Runs what was decided, or raises why not.

        `DeniedError`, `PausedError`, `RemitError`: it did not run. `ConstraintError`: it did. Anything else was
        raised by the tool.
        """
        settings = self._client.settings
        asked = self._options.asked(self.tool, session.id, input, settings, more)
        return self._client._guarded(session, asked, self._work)

    def resume(
        self,
        session: Session,
        paused: PausedCall,
        **more: Unpack[CallMore],
    ) -> Output:
        """Asks a paused call again, with its own call id, and runs it when it may run now."""
        return self(session, paused.input, **paused_ask(session.id, paused, more))


class Client:
    """
    Asks Remit, from any thread.

    `address` is host:port of the gRPC lane, or several of one Remit (REMIT_ADDRESS, else 127.0.0.1:7081); `key` the
    API key of this workload (REMIT_API_KEY; there is no other default), or `token` where tokens of an issuer come from:
    a function that answers one, or the path of a file (REMIT_TOKEN_FILE). Plain text is used on loopback only;
    elsewhere it is TLS, or the word "insecure" behind a mesh. Seconds everywhere.
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
        self._wire = Wire(self.settings)
        self._book = Book(self.settings.reports_max)
        self._outbox: Outbox[Session] = Outbox(self._book, self._tell)

    def ready(self, timeout: float = STEADY) -> None:
        """Waits until Remit serves at the address and knows the key. Raises `RemitError` that says what to mend."""
        request = session_pb.GetSessionRequest(session_id=NOBODY)
        try:
            self._wire.ask(GET_SESSION, request, None, Tries(time.monotonic(), timeout))
        except (RemitError, GivenUpError) as error:
            if (why := not_ready(self.settings, error)) is not None:
                raise why from error

    def open_session(self, **options: Unpack[SessionOptions]) -> Session:
        """Opens a session for an agent that this caller is bound to."""
        return Session(self, given(self._steadily(OPEN_SESSION, open_request(options))))

    def adopt_session(self, session_id: str) -> Session:
        """Goes on with a session of another process, by its id."""
        return Session(
            self, given(self._steadily(RENEW_SESSION, session_pb.RenewSessionRequest(session_id=session_id)))
        )

    def decide(self, session: Session, tool: str, input: Mapping[str, Any], **more: Unpack[CallMore]) -> Decision:
        """Asks about one call. Every effect is a value, denials too; you run and report."""
        asked = ToolOptions().asked(tool, session.id, input, self.settings, more)
        if (refused := self._book.enter(asked)) is not None:
            return refused
        try:
            return self._decide(session, asked)
        finally:
            self._book.leave(asked)

    def resume(
        self,
        session: Session,
        paused: PausedCall,
        **more: Unpack[CallMore],
    ) -> Decision:
        """Asks a paused call again, with its own call id; like `decide`."""
        return self.decide(session, paused.tool, paused.input, **paused_ask(session.id, paused, more))

    def report(self, session: Session, outcome: Outcome, **more: Unpack[ReportMore]) -> Reported:
        """Tells what became of a call, by `decision_id` or `call_id`; returns when Remit has taken it."""
        request = write_report(Report(outcome=outcome, **more))
        return read_reported(self._tell(session, request))

    def guard(
        self,
        tool: str,
        *,
        estimate: Callable[[Mapping[str, Any]], Iterable[Amount]] | None = None,
        supported_constraints: Iterable[str] = (),
        schema_digest: str = "",
    ) -> Callable[[Callable[..., Output]], Guarded[Output]]:
        """
        Binds a function to a tool, so that what runs is what was decided.

        The function gets a fresh copy of the input that was decided, and the `Run` if it takes two arguments. What it
        gives is called with the session and the proposed input.
        """
        options = ToolOptions(
            estimate=estimate, supported_constraints=tuple(supported_constraints), schema_digest=schema_digest
        )

        def bind(work: Callable[..., Output]) -> Guarded[Output]:
            if inspect.iscoroutinefunction(work):
                raise TypeError(f"{tool} is a coroutine function: bind it with AsyncClient.guard")
            return Guarded(self, tool, options, work if takes_run(work) else lambda given, _: work(given))

        return bind

    def flush(self, timeout: float = STEADY) -> bool:
        """Waits until Remit has taken every report; answers whether it has."""
        return self._outbox.flush(timeout)

    def close(self, timeout: float = STEADY) -> None:
        """Lets no call in any more, waits for those that run and for their reports, and closes the connections."""
        ends = time.monotonic() + timeout
        self._book.close(timeout)
        self._outbox.close(max(0.0, ends - time.monotonic()))
        self._wire.close()

    @property
    def undelivered(self) -> Undelivered:
        """Reports that Remit refused, or that were lost when the client was closed."""
        return self._outbox.undelivered

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _steadily(self, method: Method[Sent, Answered], request: Sent, session: Session | None = None) -> Answered:
        """Asks again and again for some seconds: for all that may be asked twice and is no decision."""
        token = None if session is None else session.data.token
        try:
            return self._wire.ask(method, request, token, Tries(time.monotonic(), STEADY))
        except GivenUpError as error:
            raise error.as_remit_error(self.settings.where) from error

    def _delegate(self, session: Session, request: session_pb.DelegateRequest) -> Session:
        if session.data.needs_renewal():
            self._renew(session)
        return Session(self, given(self._steadily(DELEGATE, request, session)))

    def _renew(self, session: Session) -> None:
        before = session.data.token
        with session.renewing:
            # Somebody else may have done it meanwhile.
            if session.data.token == before:
                request = session_pb.RenewSessionRequest(session_id=session.id)
                session.data.renewed(self._steadily(RENEW_SESSION, request))

    def _tell(self, session: Session, request: decision_pb.ReportRequest) -> decision_pb.ReportResponse:
        try:
            return self._steadily(REPORT, request, session)
        except RemitError as error:
            # A token that ran out still reports for a day.
            if not is_expired(error):
                raise
            self._renew(session)
            return self._steadily(REPORT, request, session)

    def _ask(self, session: Session, asked: Asked, tries: Tries) -> decision_pb.DecideResponse:
        try:
            return self._wire.ask(DECIDE, asked.request, session.data.token, tries)
        except RemitError as error:
            if not is_expired(error):
                raise
        self._renew(session)
        return self._wire.ask(DECIDE, asked.request, session.data.token, tries.anew(time.monotonic()))

    def _decide(self, session: Session, asked: Asked) -> Decision:
        """Asks about a call that was let in. What is not run though Remit may think so is reported."""
        tries = Tries(time.monotonic(), self.settings.deadline, self.settings.hedge)
        try:
            if session.data.needs_renewal():
                self._renew(session)
            decision, release = answered(asked, self._ask(session, asked, tries))
        except (RemitError, GivenUpError) as error:
            outcome, release = unanswered(asked, self.settings, tries, error)
            self._release(session, asked, release)
            if isinstance(outcome, RemitError):
                raise outcome from error
            return outcome
        except BaseException:
            # A Ctrl-C, for one.
            if tries.unseen > 0:
                self._release(session, asked, Release())
            raise
        self._release(session, asked, release)
        return decision

    def _release(self, session: Session, asked: Asked, release: Release | None) -> None:
        if release is None:
            return
        if not release.decision_id:
            self._book.give_up(asked)
        self._outbox.add(session, write_report(release.report(asked)))

    def _guarded(self, session: Session, asked: Asked, work: Callable[[dict[str, Any], Run], Output]) -> Output:
        if (refused := self._book.enter(asked)) is not None:
            raise DeniedError(refused)
        try:
            asked_at = time.monotonic()
            permitted = permitted_or_raise(self._decide(session, asked))
            if not self._book.start(permitted.decision_id):
                raise already_executed(permitted)
            if is_late(permitted, asked_at):
                self._outbox.add(session, write_report(Release(permitted.decision_id).report(asked)))
                raise refuse_late(permitted)
            return self._execute(session, permitted, work)
        finally:
            self._book.leave(asked)

    def _execute(self, session: Session, permitted: Permitted, work: Callable[[dict[str, Any], Run], Output]) -> Output:
        run = Run(permitted)
        try:
            output = within(run, lambda: work(permitted.input, run))
        except BaseException as error:
            self._outbox.add(session, write_report(run.report(outcome_of(error))))
            raise
        self._outbox.add(session, write_report(run.report("succeeded", output)))
        run.check_output(output)
        return output


def within(run: Run, work: Callable[[], Output]) -> Output:
    """
    What the work gives; raises `ConstraintError` when it takes longer than it may.

    A thread cannot be stopped: it is told so by `run.cancelled`, and nobody waits for it any more.
    """
    if run.limits.timeout is None:
        return work()
    ended: queue.SimpleQueue[tuple[Output, None] | tuple[None, BaseException]] = queue.SimpleQueue()
    context = contextvars.copy_context()

    def attempt() -> None:
        try:
            ended.put((context.run(work), None))
        except BaseException as error:
            ended.put((None, error))

    threading.Thread(target=attempt, name=f"remit-{run.decision.tool}", daemon=True).start()
    try:
        output, error = ended.get(timeout=run.limits.timeout)
    except queue.Empty:
        raise run.timed_out() from None
    if error is not None:
        raise error
    return cast(Output, output)
