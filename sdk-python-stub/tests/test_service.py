"""The client for threads on a real service."""

import threading
import time

import pytest

from remit_sdk import (
    Client,
    ConstraintError,
    DeniedError,
    NothingSpent,
    Paused,
    PausedCall,
    PausedError,
    Permitted,
    RemitError,
    Run,
)

PAYMENT = {"to": "Nile Trading", "amount": 40, "currency": "EUR", "memo": "invoice 2041"}


def test_a_guarded_tool_runs_what_was_allowed_and_is_reported(service, client, books):
    seen: list[Run] = []

    @client.guard("payments.transfer")
    def transfer(given, run):
        seen.append(run)
        run.cost("EUR", "40.50")
        return {"paid": given["amount"]}

    assert transfer(books, PAYMENT, call_id="pays") == {"paid": 40}
    assert client.flush()
    (run,) = seen
    assert run.idempotency_key == run.decision.decision_id
    entry = service.entry(run.idempotency_key)
    assert entry["decision"]["body"]["effect"] == "allow"
    (report,) = entry["reports"]
    assert report["body"]["outcome"] == "succeeded"
    assert report["body"]["actual"] == [{"unit": "EUR", "value": "40.5"}]
    assert report["body"]["input_digest"] == run.decision.recorded.effective_input_digest
    assert report["body"]["input_matches"] is True
    assert report["body"]["output_digest"].startswith("sha256:")
    with pytest.raises(DeniedError) as again:
        transfer(books, PAYMENT, call_id="pays")
    assert (again.value.code, again.value.local) == ("already_executed", False)


def test_what_a_rule_rewrote_is_what_runs(client, books):
    @client.guard("files.write")
    def write(given):
        return given["path"]

    assert write(books, {"path": "/home/ada/notes.txt", "text": "Paid."}) == "/workspace/sandbox/notes.txt"
    decision = client.decide(books, "files.write", {"path": "/etc/motd", "text": "é\u2028"})
    assert isinstance(decision, Permitted)
    assert decision.effect == "transform"
    assert decision.input == {"path": "/workspace/sandbox/motd", "text": "é\u2028"}
    assert decision.recorded.input_digest != decision.recorded.effective_input_digest


def test_a_denied_tool_does_not_run_and_the_model_is_told(service, client, books):
    @client.guard("customers.delete")
    def delete(given):
        raise AssertionError("it ran")

    with pytest.raises(DeniedError) as denied:
        delete(books, {"filter": "inactive"})
    assert str(denied.value) == "Agents do not delete customer records. Ask a person in operations."
    assert (denied.value.code, denied.value.local, denied.value.retryable) == ("rule_denied", False, False)
    assert [rule.rule for rule in denied.value.rules] == ["customers-are-not-deleted"]
    assert service.outcomes(denied.value.decision_id) == []


def test_a_call_that_waits_for_an_answer_goes_on_with_it(client, books):
    ran = []

    @client.guard("payments.transfer")
    def transfer(given):
        ran.append(given)

    with pytest.raises(PausedError) as waits:
        transfer(books, {name: value for name, value in PAYMENT.items() if name != "memo"})
    paused = PausedCall.from_json(waits.value.paused.to_json())
    assert (paused.effect, paused.questions[0].id) == ("clarify", "memo")
    assert isinstance(client.resume(books, paused), Paused)
    transfer.resume(books, paused, answers={"memo": "invoice 7"})
    assert ran == [paused.input]
    with pytest.raises(RemitError, match="another session"):
        client.resume(client.open_session(agent="bookkeeper"), paused)


def test_a_call_that_waits_for_people_says_so(client, books):
    decision = client.decide(books, "payments.transfer", {**PAYMENT, "amount": 9000})
    assert isinstance(decision, Paused)
    assert (decision.effect, decision.recorded.reason.code) == ("escalate", "approval_required")
    assert decision.paused.approval is not None
    assert decision.paused.approval.state == "pending"


@pytest.mark.parametrize(
    ("error", "outcome"), [(NothingSpent("no such account"), "failed"), (OSError("cut"), "unknown")]
)
def test_what_a_tool_raises_is_passed_on_and_reported(service, client, books, error, outcome):
    ids = []

    @client.guard("payments.transfer")
    def transfer(given, run):
        ids.append(run.idempotency_key)
        raise error

    with pytest.raises(type(error)):
        transfer(books, PAYMENT)
    assert client.flush()
    assert service.outcomes(ids[0]) == [outcome]


def test_a_decision_can_be_reported_by_hand_once(client, books):
    decision = client.decide(books, "payments.transfer", PAYMENT, call_id="by-hand")
    assert isinstance(decision, Permitted)
    running = client.report(books, "running", decision_id=decision.decision_id)
    assert (running.replayed, running.outcome) == (False, "running")
    first = client.report(books, "succeeded", call_id="by-hand")
    assert (first.decision_id, first.replayed, first.input_matches) == (
        decision.decision_id,
        False,
        True,
    )
    second = client.report(books, "failed", decision_id=decision.decision_id)
    assert (second.replayed, second.outcome) == (True, "succeeded")
    with pytest.raises(RemitError) as unknown:
        client.report(books, "succeeded", call_id="never-asked")
    assert (unknown.value.status, unknown.value.reason) == ("NOT_FOUND", "decision_unknown")


def test_an_output_that_is_too_large_is_refused_after_it_ran(service, client, clerk):
    ids = []

    @client.guard("ledger.read")
    def read(given, run):
        ids.append(run.idempotency_key)
        return given["text"]

    assert read(clerk, {"text": "short"}) == "short"
    with pytest.raises(ConstraintError) as broken:
        read(clerk, {"text": "x" * 21})
    assert (broken.value.constraint, broken.value.limit, broken.value.decision_id) == ("maxOutputBytes", 20, ids[1])
    assert client.flush()
    assert service.outcomes(ids[1]) == ["succeeded"]


def test_a_tool_that_takes_too_long_is_told_and_reported_as_unknown(service, client, clerk):
    runs: list[Run] = []
    over = threading.Event()

    @client.guard("ledger.slow")
    def slow(given, run):
        runs.append(run)
        run.cancelled.wait(30)
        over.set()

    with pytest.raises(ConstraintError) as broken:
        slow(clerk, {})
    assert (broken.value.constraint, broken.value.limit) == ("timeout", 0.1)
    assert over.wait(30)
    assert client.flush()
    assert service.outcomes(runs[0].idempotency_key) == ["unknown"]


def test_a_tool_is_not_run_under_a_constraint_that_nobody_honours(client, clerk):
    @client.guard("ledger.export")
    def careless(given):
        raise AssertionError("it ran")

    @client.guard("ledger.export", supported_constraints=["redactOutput"])
    def careful(given, run):
        return [constraint.value for constraint in run.constraints]

    with pytest.raises(DeniedError) as denied:
        careless(clerk, {})
    assert (denied.value.code, denied.value.local) == ("constraint_unsupported", False)
    assert careful(clerk, {}) == [("iban",)]


def test_what_is_not_plain_json_is_refused_before_it_is_sent(client, books):
    with pytest.raises(RemitError) as wrong:
        client.decide(books, "payments.transfer", {"amount": 2**53})
    assert (wrong.value.reason, wrong.value.field) == ("number_out_of_range", "input.amount")


def test_a_used_call_id_is_an_error_and_releases_nothing(service, client, books):
    first = client.decide(books, "payments.transfer", PAYMENT, call_id="one-name")
    assert isinstance(first, Permitted)
    with pytest.raises(RemitError) as reused:
        client.decide(books, "payments.transfer", {**PAYMENT, "amount": 41}, call_id="one-name")
    assert (reused.value.status, reused.value.reason) == ("ALREADY_EXISTS", "call_id_reused")
    assert client.flush()
    assert service.outcomes(first.decision_id) == []


def test_sessions_are_adopted_renewed_and_closed(service, client, books):
    adopted = client.adopt_session(books.id)
    assert (adopted.id, adopted.agent) == (books.id, "bookkeeper")
    before = adopted.data.token
    adopted.renew()
    assert adopted.data.token_expires_at >= time.time()
    assert before not in repr(adopted) + repr(adopted.data)
    run = client.open_session(agent="bookkeeper", run_id="same-run")
    assert client.open_session(agent="bookkeeper", run_id="same-run").id == run.id
    narrow = client.open_session(agent="bookkeeper", scope={"tools": ["invoices.*"]})
    outside = client.decide(narrow, "payments.transfer", PAYMENT)
    assert outside.effect == "deny"
    assert outside.reason.code == "scope_exceeded"
    adopted.close()
    closed = client.decide(books, "payments.transfer", PAYMENT)
    assert closed.effect == "deny"
    assert closed.reason.code == "session_closed"


def test_a_session_hands_on_what_it_has_and_no_more(service, client):
    planner = client.open_session(agent="bookkeeper", scope={"tools": ["payments.*"], "maxDepth": 1})
    bound = {"tool": "payments.*", "path": "input.amount", "max": 5}
    clerk = planner.delegate(agent="clerk", scope={"tools": ["payments.transfer"], "bounds": [bound]})
    assert (clerk.agent, clerk.data.principal.id) == ("clerk", planner.data.principal.id)
    assert client.decide(clerk, "payments.transfer", PAYMENT).reason.code == "scope_exceeded"
    with pytest.raises(RemitError) as refused:
        planner.delegate(agent="clerk", scope={"tools": ["records.delete"]})
    assert refused.value.reason == "scope_exceeded"
    assert "tools[0]" in str(refused.value)
    planner.close()
    assert client.decide(clerk, "payments.transfer", PAYMENT).reason.code == "session_closed"


def test_a_token_that_ran_out_is_renewed_before_the_call(client, books):
    books.data.token_expires_at = time.time() - 1
    before = books.data.token_expires_at
    assert client.decide(books, "payments.transfer", PAYMENT).effect == "allow"
    assert books.data.token_expires_at > before


def test_many_threads_share_a_client(client, books):
    @client.guard("invoices.read")
    def read(given):
        return given["id"]

    read_ids = []

    def work(at):
        read_ids.append(read(books, {"id": str(at)}))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_ids, key=int) == [str(at) for at in range(16)]
    assert client.flush()
    assert (client.undelivered.refused, client.undelivered.lost) == (0, 0)


def test_a_wrong_key_and_a_wrong_address_fail_at_boot(service):
    with Client(service.grpc_address, key=service.key) as good:
        good.ready()
    with Client(service.grpc_address, key="rmt_wrong") as stranger, pytest.raises(RemitError) as refused:
        stranger.ready()
    assert (refused.value.status, refused.value.reason) == ("UNAUTHENTICATED", "token_invalid")
    with Client("127.0.0.1:1", key="rmt_any") as lost, pytest.raises(RemitError) as nowhere:
        lost.ready(timeout=0.3)
    assert nowhere.value.reason == "unreachable"
    assert "remit serve" in nowhere.value.fix


def test_a_coroutine_is_not_guarded_by_this_client(client):
    async def work(given):
        return given

    with pytest.raises(TypeError, match="AsyncClient"):
        client.guard("invoices.read")(work)
