"""What the client makes of answers that no Remit would give, and of silence."""

import socket
import threading
import time

import grpc
import pytest
from fake_server import FakeServer, allow, refuse, serving

from remit_sdk import Client, ConstraintError, DeniedError, RemitError
from remit_sdk._gen import common_pb2 as common
from remit_sdk._gen import decision_pb2 as pb

LONG = 20.0
SHORT = 0.4


@pytest.fixture
def fake():
    return FakeServer()


@pytest.fixture
def address(fake):
    with serving(fake) as at:
        yield at


def make(address, **more):
    return Client(address, key="rmt_test", **{"deadline": LONG, "hedge": LONG, **more})


def denied_by(client, call_id="call", **more):
    """Guards a tool that must not run; answers why it did not."""

    @client.guard("tool", **more)
    def never(given):
        raise AssertionError("it ran")

    session = client.open_session(agent="clerk")
    with pytest.raises(DeniedError) as denied:
        never(session, {"amount": 1}, call_id=call_id)
    return denied.value


def changed(**fields):
    """An allowing answer with something wrong in it."""

    def answer(request, _):
        made = allow(request)
        for name, value in fields.items():
            if isinstance(value, list):
                getattr(made, name).extend(value)
            else:
                setattr(made, name, value)
        return made

    return answer


CALL = ("call call", "not_executed")
DECISION = ("decision-of-call", "not_executed")

WRONG = [
    ("an unknown effect", changed(effect=77), "effect_unknown", CALL),
    ("no effect", changed(effect=0), "effect_unknown", CALL),
    ("an unknown mode", changed(mode=9), "answer_invalid", CALL),
    ("another input", changed(input_digest="sha256:00"), "answer_invalid", CALL),
    ("another effective input", changed(effective_input_digest="sha256:00"), "answer_invalid", CALL),
    ("no decision id", changed(decision_id=""), "answer_invalid", CALL),
    ("another tool", changed(transformed_tool="other"), "answer_invalid", CALL),
    ("an allow with an input", changed(transformed_json=b"{}"), "answer_invalid", CALL),
    ("a transform without one", changed(effect=common.EFFECT_TRANSFORM), "answer_invalid", CALL),
    (
        "a transform that is no object",
        changed(effect=common.EFFECT_TRANSFORM, transformed_json=b"[1]"),
        "answer_invalid",
        CALL,
    ),
    (
        "a transform that is no JSON",
        changed(effect=common.EFFECT_TRANSFORM, transformed_json=b"\xff"),
        "answer_invalid",
        CALL,
    ),
    (
        "an unknown constraint",
        changed(constraints=[pb.Constraint(name="onlyOnSundays", flag=True)]),
        "constraint_unsupported",
        DECISION,
    ),
    (
        "a timeout without a duration",
        changed(constraints=[pb.Constraint(name="timeout", flag=True)]),
        "constraint_unsupported",
        DECISION,
    ),
]


@pytest.mark.parametrize(("answer", "code", "report"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_an_answer_that_is_not_understood_whole_runs_nothing_and_is_released(fake, address, answer, code, report):
    fake.decide = answer
    with make(address) as client:
        denied = denied_by(client)
    assert (denied.code, denied.local) == (code, True)
    assert fake.reports(1) == [report]


def test_an_observed_call_runs_and_says_what_enforcement_would_have_done(fake, address):
    def observed(request, _):
        answer = allow(request)
        answer.mode = common.MODE_OBSERVED
        answer.would.effect = common.EFFECT_DENY
        answer.would.reason.code = "rule_denied"
        return answer

    fake.decide = observed
    with make(address) as client:
        session = client.open_session(agent="clerk")
        seen = []
        client.guard("tool")(lambda given, run: seen.append(run.decision.recorded))(session, {})
    (recorded,) = seen
    assert (recorded.mode, recorded.would.effect, recorded.would.reason.code) == ("observed", "deny", "rule_denied")


def test_silence_is_asked_again_beside_and_denied_at_the_deadline_and_the_call_is_given_up(fake, address):
    over = threading.Event()

    def silent(request, _):
        over.wait(60)
        return allow(request)

    fake.decide = silent
    with make(address, deadline=SHORT, hedge=SHORT / 4) as client:
        denied = denied_by(client)
        assert (denied.code, denied.local, denied.retryable) == ("unreachable", True, True)
        assert "remit serve" in str(denied)
        assert fake.reports(1) == [CALL]
        assert [one.call_id for one in fake.asked] == ["call", "call"]
        over.set()
        fake.decide = lambda request, _: allow(request)
        # Its report may arrive at any time: no later attempt of this call may be hit by it.
        assert denied_by(client).code == "decision_expired"


def test_the_second_connection_answers_for_the_first(fake, address):
    over = threading.Event()

    def first_is_silent(request, _):
        if len(fake.asked) == 1:
            over.wait(60)
        return allow(request)

    fake.decide = first_is_silent
    with make(address, hedge=0.05) as client:
        session = client.open_session(agent="clerk")
        assert client.decide(session, "tool", {"a": 1}).effect == "allow"
        over.set()
    assert fake.asked[0] == fake.asked[1]


def test_what_may_pass_is_asked_again_with_the_same_call_id(fake, address):
    def busy(request, context):
        if len(fake.asked) <= 3:
            refuse(context, grpc.StatusCode.UNAVAILABLE, "ledger_unavailable", retryable=True)
        return allow(request)

    fake.decide = busy
    with make(address) as client:
        session = client.open_session(agent="clerk")
        assert client.decide(session, "tool", {}).effect == "allow"
    assert len({one.call_id for one in fake.asked}) == 1
    assert len(fake.asked) == 4


def test_what_does_not_pass_is_an_error_with_its_reason(fake, address):
    fake.decide = lambda request, context: refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "request_invalid")
    with make(address) as client:
        session = client.open_session(agent="clerk")
        with pytest.raises(RemitError) as wrong:
            client.decide(session, "tool", {})
        assert (wrong.value.status, wrong.value.reason, wrong.value.fix) == (
            "INVALID_ARGUMENT",
            "request_invalid",
            "wait",
        )
    assert fake.told == []


def test_nothing_is_reported_of_a_call_that_never_left(fake):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
        with serving(fake) as address, make(address) as there:
            session = there.open_session(agent="clerk")
        with Client(nowhere, key="rmt_test", deadline=SHORT) as client:
            denied = client.decide(session, "tool", {})
            assert (denied.effect, denied.reason.code) == ("deny", "unreachable")
            assert client.flush(0)


def test_a_token_that_ran_out_is_renewed_and_the_call_asked_again(fake, address):
    def expired(request, context):
        if ("remit-session", "token-0") in context.invocation_metadata():
            refuse(context, grpc.StatusCode.UNAUTHENTICATED, "token_expired")
        return allow(request)

    fake.decide = expired
    with make(address) as client:
        session = client.open_session(agent="clerk")
        assert client.decide(session, "tool", {}).effect == "allow"
    assert fake.renewed == 1


def test_a_permission_that_came_too_late_is_not_used(fake, address):
    def late(request, _):
        answer = allow(request)
        answer.execute_before.CopyFrom(answer.evaluated_at)
        return answer

    fake.decide = late
    with make(address) as client:
        assert denied_by(client).code == "decision_expired"
    assert fake.reports(1) == [DECISION]


def test_a_report_is_kept_until_remit_is_back_and_the_call_does_not_run_again_meanwhile(fake, address):
    refused = threading.Semaphore(0)
    back = threading.Event()

    def away(request, context):
        if not back.is_set():
            refused.release()
            refuse(context, grpc.StatusCode.UNAVAILABLE, "ledger_unavailable", retryable=True)

    fake.report = away
    with make(address) as client:
        ran = []
        tool = client.guard("tool")(ran.append)
        session = client.open_session(agent="clerk")
        tool(session, {"a": 1}, call_id="call")
        assert refused.acquire(timeout=30)
        with pytest.raises(DeniedError) as again:
            tool(session, {"a": 1}, call_id="call")
        assert (again.value.code, ran) == ("already_executed", [{"a": 1}])
        back.set()
        assert client.flush(30)
    assert fake.reports(1) == [("decision-of-call", "succeeded")]


def test_calls_wait_outside_while_reports_fill_the_room_and_what_is_left_at_the_end_is_counted(fake, address):
    fake.report = lambda request, context: refuse(
        context, grpc.StatusCode.UNAVAILABLE, "ledger_unavailable", retryable=True
    )
    client = make(address, reports_max=2)
    tool = client.guard("tool")(lambda given: None)
    session = client.open_session(agent="clerk")
    tool(session, {}, call_id="one")
    tool(session, {}, call_id="two")
    with pytest.raises(DeniedError) as full:
        tool(session, {}, call_id="three")
    assert (full.value.code, full.value.retryable) == ("reports_full", True)
    client.close(timeout=0.1)
    assert client.undelivered.lost == 2
    with pytest.raises(DeniedError, match="closed"):
        tool(session, {}, call_id="four")


def test_a_report_that_remit_refuses_is_counted_and_holds_up_nobody(fake, address):
    def picky(request, context):
        if request.decision_id.endswith("one"):
            refuse(context, grpc.StatusCode.PERMISSION_DENIED, "report_not_yours")

    fake.report = picky
    with make(address) as client:
        tool = client.guard("tool")(lambda given: None)
        session = client.open_session(agent="clerk")
        tool(session, {}, call_id="one")
        tool(session, {}, call_id="two")
        assert client.flush(30)
        assert (client.undelivered.refused, client.undelivered.lost) == (1, 0)
    assert fake.reports(1) == [("decision-of-two", "succeeded")]


def test_one_call_is_under_way_once(fake, address):
    entered, go = threading.Event(), threading.Event()
    with make(address) as client:

        @client.guard("tool")
        def slow(given):
            entered.set()
            go.wait(30)

        session = client.open_session(agent="clerk")
        thread = threading.Thread(target=lambda: slow(session, {}, call_id="call"))
        thread.start()
        assert entered.wait(30)
        with pytest.raises(DeniedError) as twice:
            slow(session, {}, call_id="call")
        assert twice.value.code == "call_in_progress"
        go.set()
        thread.join()


def test_a_function_under_a_timeout_raises_what_it_raises(fake, address):
    def timed(request, _):
        answer = allow(request)
        answer.constraints.add(name="timeout").duration.FromSeconds(30)
        return answer

    fake.decide = timed
    with make(address) as client:
        session = client.open_session(agent="clerk")

        @client.guard("tool")
        def fails(given):
            raise KeyError("account")

        with pytest.raises(KeyError):
            fails(session, {})
        assert client.guard("tool")(lambda given: given["a"])(session, {"a": time.tzname[0]}) == time.tzname[0]
    assert [outcome for _, outcome in fake.reports(2)] == ["unknown", "succeeded"]


def test_an_output_of_unknown_size_is_no_small_output(fake, address):
    def bounded(request, _):
        answer = allow(request)
        answer.constraints.add(name="maxOutputBytes", integer=1000)
        return answer

    fake.decide = bounded
    with make(address) as client:
        session = client.open_session(agent="clerk")
        with pytest.raises(ConstraintError, match="cannot be known"):
            client.guard("tool")(lambda given: object())(session, {})


def test_another_replica_answers_for_one_that_is_gone(fake):
    with serving(fake) as good, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = f"127.0.0.1:{taken.getsockname()[1]}"
        with make([gone, good]) as client:
            session = client.open_session(agent="clerk")
            assert client.decide(session, "tool", {}).effect == "allow"
