"""The client for asyncio, on a real service and on a scripted one."""

import asyncio

import grpc
import pytest
from fake_server import FakeServer, allow, refuse, serving

from remit_sdk import AsyncClient, ConstraintError, DeniedError, NothingSpent, PausedError, RemitError

PAYMENT = {"to": "Nile Trading", "amount": 40, "currency": "EUR", "memo": "invoice 2041"}


def test_a_guarded_coroutine_runs_what_was_decided_and_is_reported(service):
    async def story():
        async with AsyncClient(service.grpc_address, key=service.key, deadline=10.0) as remit:
            await remit.ready()
            session = await remit.open_session(agent="bookkeeper", principal="ada@acme.example")
            runs = []

            @remit.guard("payments.transfer")
            async def transfer(given, run):
                runs.append(run)
                run.cost("EUR", "40")
                return given["amount"]

            @remit.guard("files.write")
            async def write(given):
                return given["path"]

            @remit.guard("customers.delete")
            async def delete(given):
                raise AssertionError("it ran")

            assert await transfer(session, PAYMENT) == 40
            assert await write(session, {"path": "/etc/motd", "text": "x"}) == "/workspace/sandbox/motd"
            with pytest.raises(DeniedError) as denied:
                await delete(session, {"filter": "all"})
            assert denied.value.code == "rule_denied"
            with pytest.raises(PausedError) as waits:
                await transfer(session, {name: PAYMENT[name] for name in ("to", "amount", "currency")})
            assert await transfer.resume(session, waits.value.paused, answers={"memo": "x"}) == 40
            assert await remit.flush()
            adopted = await remit.adopt_session(session.id)
            await adopted.renew()
            await adopted.close()
            closed = await remit.decide(session, "payments.transfer", PAYMENT)
            assert closed.effect == "deny"
            return runs

    runs = asyncio.run(story())
    for run in runs:
        assert service.outcomes(run.idempotency_key) == ["succeeded"]


def test_many_coroutines_share_a_client(service):
    async def story():
        async with AsyncClient(service.grpc_address, key=service.key, deadline=10.0) as remit:
            session = await remit.open_session(agent="bookkeeper")

            @remit.guard("invoices.read")
            async def read(given):
                await asyncio.sleep(0)
                return given["id"]

            texts = await asyncio.gather(*(read(session, {"id": str(at)}) for at in range(16)))
            assert texts == [str(at) for at in range(16)]
            decision = await remit.decide(session, "invoices.read", {"id": "x"}, call_id="by-hand")
            assert decision.effect == "allow"
            told = await remit.report(session, "failed", call_id="by-hand")
            assert (told.decision_id, told.outcome) == (decision.decision_id, "failed")
            assert await remit.flush()
            return remit.undelivered

    undelivered = asyncio.run(story())
    assert (undelivered.refused, undelivered.lost) == (0, 0)


def scripted(story, decide=None):
    """Plays a story with a scripted server; answers the server."""
    fake = FakeServer()
    if decide is not None:
        fake.decide = decide

    async def play(address):
        async with AsyncClient(address, key="rmt_test", deadline=20.0, hedge=20.0) as remit:
            await story(remit, await remit.open_session(agent="clerk"), fake)

    with serving(fake) as address:
        asyncio.run(play(address))
    return fake


def timed(request, _):
    answer = allow(request)
    answer.constraints.add(name="timeout").duration.FromMilliseconds(50)
    return answer


def test_a_coroutine_is_cancelled_at_its_timeout():
    ended = []

    async def story(remit, session, fake):
        @remit.guard("tool")
        async def slow(given):
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("cancelled")

        with pytest.raises(ConstraintError):
            await slow(session, {}, call_id="call")
        await asyncio.sleep(0)

    fake = scripted(story, timed)
    assert ended == ["cancelled"]
    assert fake.reports(1) == [("decision-of-call", "unknown")]


def test_a_cancelled_call_is_reported_as_unknown_once_it_ran_and_as_not_executed_before():
    async def story(remit, session, fake):
        started = asyncio.Event()

        @remit.guard("tool")
        async def works(given):
            started.set()
            await asyncio.sleep(60)

        running = asyncio.create_task(works(session, {}, call_id="ran"))
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def silent(request, _):
            loop.call_soon_threadsafe(asked.set)
            asyncio.run_coroutine_threadsafe(over.wait(), loop).result(30)
            return allow(request)

        fake.decide = silent
        waiting = asyncio.create_task(works(session, {}, call_id="asked"))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        over.set()
        assert await remit.flush()

    assert scripted(story).reports(2) == [("decision-of-ran", "unknown"), ("call asked", "not_executed")]


def test_an_answer_that_is_not_understood_runs_nothing():
    def unknown(request, _):
        answer = allow(request)
        answer.effect = 77
        return answer

    async def story(remit, session, fake):
        @remit.guard("tool")
        async def never(given):
            raise AssertionError("it ran")

        with pytest.raises(DeniedError) as denied:
            await never(session, {}, call_id="call")
        assert (denied.value.code, denied.value.local) == ("effect_unknown", True)

    assert scripted(story, unknown).reports(1) == [("call call", "not_executed")]


def test_silence_is_denied_at_the_deadline():
    fake = FakeServer()
    over = asyncio.Event()

    async def play(address):
        loop = asyncio.get_running_loop()

        def silent(request, _):
            asyncio.run_coroutine_threadsafe(over.wait(), loop).result(30)
            return allow(request)

        fake.decide = silent
        async with AsyncClient(address, key="rmt_test", deadline=0.4, hedge=0.1) as remit:
            session = await remit.open_session(agent="clerk")
            decision = await remit.decide(session, "tool", {}, call_id="call")
            assert (decision.effect, decision.reason.code) == ("deny", "unreachable")
            over.set()

    with serving(fake) as address:
        asyncio.run(play(address))
    assert [one.call_id for one in fake.asked] == ["call", "call"]
    assert fake.reports(1) == [("call call", "not_executed")]


def test_what_may_pass_is_asked_again_and_what_does_not_is_an_error():
    async def story(remit, session, fake):
        def busy(request, context):
            if len(fake.asked) == 1:
                refuse(context, grpc.StatusCode.UNAVAILABLE, "draining", retryable=True)
            return allow(request)

        fake.decide = busy
        assert (await remit.decide(session, "tool", {})).effect == "allow"
        fake.decide = lambda request, context: refuse(context, grpc.StatusCode.ALREADY_EXISTS, "call_id_reused")
        with pytest.raises(RemitError) as reused:
            await remit.decide(session, "tool", {})
        assert reused.value.reason == "call_id_reused"

    assert scripted(story).told == []


def test_a_coroutine_that_spent_nothing_says_so_and_a_token_that_ran_out_is_renewed():
    async def story(remit, session, fake):
        def expired(request, context):
            if ("remit-session", "token-0") in context.invocation_metadata():
                refuse(context, grpc.StatusCode.UNAUTHENTICATED, "token_expired")
            return allow(request)

        fake.decide = expired

        @remit.guard("tool")
        async def fails(given):
            raise NothingSpent("no such account")

        with pytest.raises(NothingSpent):
            await fails(session, {}, call_id="call")
        assert fake.renewed == 1

    assert scripted(story).reports(1) == [("decision-of-call", "failed")]


def test_a_function_is_not_guarded_by_this_client():
    async def story(remit, session, fake):
        with pytest.raises(TypeError, match=r"Client\.guard"):
            remit.guard("tool")(lambda given: given)

    scripted(story)
