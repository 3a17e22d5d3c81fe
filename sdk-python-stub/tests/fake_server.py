"""A server that says what a test wants it to say."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.status_pb2 import Status

from remit_sdk._gen import common_pb2 as common
from remit_sdk._gen import decision_pb2 as pb
from remit_sdk._gen import session_pb2 as session
from remit_sdk.digest import input_digest

Decide = Callable[[pb.DecideRequest, grpc.ServicerContext], pb.DecideResponse]


def allow(request: pb.DecideRequest) -> pb.DecideResponse:
    """An answer that lets the call run."""
    digest = input_digest(request.input_json.decode())
    answer = pb.DecideResponse(
        decision_id=f"decision-of-{request.call_id}",
        attempt=1,
        effect=common.EFFECT_ALLOW,
        mode=common.MODE_ENFORCED,
        reason={"code": "rule_allowed"},
        input_digest=digest,
        effective_input_digest=digest,
    )
    now = time.time()
    answer.evaluated_at.FromNanoseconds(int(now * 1e9))
    answer.execute_before.FromNanoseconds(int((now + 60) * 1e9))
    return answer


def refuse(
    context: grpc.ServicerContext, code: grpc.StatusCode, reason: str, retryable: bool = False, field: str = ""
) -> None:
    """Ends the RPC as Remit does: with a detail that says why."""
    detail = AnyMessage()
    detail.Pack(common.ErrorDetail(reason=reason, retryable=retryable, fix="wait", field=field))
    status = Status(code=code.value[0], message=reason, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, reason)


class FakeServer:
    """Answers sessions, takes reports, and lets the test decide."""

    def __init__(self) -> None:
        self.decide: Decide = lambda request, _: allow(request)
        self.report: Callable[[pb.ReportRequest, grpc.ServicerContext], None] = lambda request, _: None
        self.asked: list[pb.DecideRequest] = []
        self.told: list[pb.ReportRequest] = []
        self.renewed = 0
        self._changed = threading.Condition()

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The services as gRPC takes them."""

        def unary(work, request, answer):
            return grpc.unary_unary_rpc_method_handler(work, request.FromString, answer.SerializeToString)

        decision = {
            "Decide": unary(self._decide, pb.DecideRequest, pb.DecideResponse),
            "Report": unary(self._report, pb.ReportRequest, pb.ReportResponse),
        }
        sessions = {
            "OpenSession": unary(self._open, session.OpenSessionRequest, session.OpenSessionResponse),
            "RenewSession": unary(self._renew, session.RenewSessionRequest, session.RenewSessionResponse),
        }
        return [
            grpc.method_handlers_generic_handler("remit.v1.DecisionService", decision),
            grpc.method_handlers_generic_handler("remit.v1.SessionService", sessions),
        ]

    def _decide(self, request, context):
        self.asked.append(request)
        return self.decide(request, context)

    def _report(self, request, context):
        self.report(request, context)
        with self._changed:
            self.told.append(request)
            self._changed.notify_all()
        return pb.ReportResponse(decision_id=request.decision_id, outcome=request.outcome, input_matches=True)

    def _session(self, answer):
        answer.session.id = "session"
        answer.session.agent = "clerk"
        answer.token = f"token-{self.renewed}"
        answer.token_expires_at.FromSeconds(int(time.time()) + 3600)
        answer.session.expires_at.FromSeconds(int(time.time()) + 86_400)
        return answer

    def _open(self, request, context):
        return self._session(session.OpenSessionResponse())

    def _renew(self, request, context):
        self.renewed += 1
        return self._session(session.RenewSessionResponse())

    def reports(self, count: int) -> list[tuple[str, str]]:
        """What was reported, once there is so much: the subject and the outcome."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, timeout=30)
        return [
            (one.decision_id or f"call {one.call_id}", pb.Outcome.Name(one.outcome).removeprefix("OUTCOME_").lower())
            for one in self.told
        ]


@contextmanager
def serving(fake: FakeServer, address: str = "127.0.0.1:0") -> Iterator[str]:
    """Serves at an address; gives host:port."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(fake.handlers())
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
