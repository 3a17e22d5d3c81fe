"""Tokens of an issuer in the place of a key: when they are fetched, and what becomes of one that is refused."""

import asyncio
import base64
import json
import threading
from pathlib import Path

import grpc
import pytest
from fake_server import FakeServer, allow, refuse, serving

from remit_sdk import AsyncClient, Client, DeniedError, RemitError
from remit_sdk.credential import AsyncCredential, Credential, Tokens
from remit_sdk.rpc_error import is_expired
from remit_sdk.settings import settle

LONG = 20.0


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


def jwt(name, end):
    claims = base64.urlsafe_b64encode(json.dumps({"name": name, "exp": end}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def settings(token):
    more = {"tls": None, "deadline": 1.0, "hedge": 1.0, "reports_max": 1, "supported_constraints": ()}
    return settle(address=None, key=None, token=token, environment={}, **more)


class Source:
    """Answers what it is told to, and counts."""

    def __init__(self, answer):
        self.answer = answer
        self.times = 0

    def __call__(self):
        self.times += 1
        return self.answer(self.times)


@pytest.fixture
def clock():
    return Clock()


def made(source, clock):
    """The header that threads get, and the one that tasks get, from the same source and clock."""
    for_threads = Credential(settings(source), Tokens(clock, clock))
    for_tasks = AsyncCredential(settings(source), Tokens(clock, clock))
    return [
        (for_threads, lambda: for_threads.header(LONG)),
        (for_tasks, lambda: asyncio.run(for_tasks.header())),
    ]


def caller_refused(reason="token_invalid"):
    return RemitError("no", status="UNAUTHENTICATED", reason=reason, field="authorization")


@pytest.mark.parametrize("which", [0, 1], ids=["threads", "asyncio"])
def test_a_token_is_fetched_again_before_it_ends(clock, which):
    source = Source(lambda times: jwt(f"t{times}", clock.now + 600))
    _, header = made(source, clock)[which]
    first = header()
    clock.now += 569
    assert header() == first
    clock.now += 2
    assert header() != first
    assert source.times == 2


@pytest.mark.parametrize("which", [0, 1], ids=["threads", "asyncio"])
def test_one_that_was_refused_is_fetched_anew_and_no_more_than_once_a_second(clock, which):
    source = Source(lambda times: f"opaque-{times}")
    credential, header = made(source, clock)[which]
    first = header()
    assert credential.after(first, caller_refused()).retryable
    second = header()
    assert (first, second) == ("Bearer opaque-1", "Bearer opaque-2")
    # Another call went with the first one: there is a newer one already, and it is not fetched for that.
    assert credential.after(first, caller_refused()).retryable
    assert not credential.after(second, caller_refused()).retryable
    assert header() == second
    assert source.times == 2
    clock.now += 1
    assert credential.after(second, caller_refused()).retryable


@pytest.mark.parametrize("which", [0, 1], ids=["threads", "asyncio"])
def test_while_its_source_is_away_the_token_that_is_held_goes_on_until_its_end(clock, which):
    end = clock.now + 100

    def answer(times):
        if times > 1:
            raise OSError("away")
        return jwt("first", end)

    _, header = made(Source(answer), clock)[which]
    first = header()
    clock.now = end - 1
    assert header() == first
    clock.now = end
    with pytest.raises(RemitError, match="there is no token to speak to Remit with: away") as none:
        header()
    assert (none.value.reason, none.value.retryable) == ("transport", True)


@pytest.mark.parametrize("which", [0, 1], ids=["threads", "asyncio"])
@pytest.mark.parametrize("text", ["", "two words", "new\nline", None, b"bytes"], ids=repr)
def test_what_is_no_token_is_not_sent_and_not_shown(clock, which, text):
    _, header = made(Source(lambda _: text), clock)[which]
    with pytest.raises(RemitError, match=r"what was answered is no token$"):
        header()


@pytest.mark.parametrize("which", [0, 1], ids=["threads", "asyncio"])
def test_a_file_is_read_again_when_its_token_is_about_to_end(clock, which, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{jwt('first', clock.now + 60)}\n")
    _, header = made(file, clock)[which]
    assert header() == f"Bearer {jwt('first', clock.now + 60)}"
    second = jwt("second", clock.now + 120)
    file.write_text(second)
    clock.now += 59
    assert header() == f"Bearer {second}"


@pytest.mark.parametrize("token", ["no.json.here", "e30.e30.e30", "e30.W10.e30", "e30.!.e30", "rmt_opaque"])
def test_a_token_that_does_not_say_when_it_ends_is_used_for_a_minute(clock, token):
    tokens = Tokens(clock, clock)
    header = tokens.take(token)
    clock.now += 59
    assert tokens.usable() == header
    clock.now += 1
    assert tokens.usable() is None


def test_threads_that_want_a_token_at_once_fetch_one_and_do_not_wait_for_ever(clock):
    let_go = threading.Event()

    def answer(times):
        let_go.wait(LONG)
        return f"opaque-{times}"

    source = Source(answer)
    credential = Credential(settings(source), Tokens(clock, clock))
    with pytest.raises(RemitError, match="it did not come in time"):
        credential.header(0.01)
    let_go.set()
    headers = []
    threads = [threading.Thread(target=lambda: headers.append(credential.header(LONG))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert headers == ["Bearer opaque-1"] * 8


def test_tasks_that_want_a_token_at_once_fetch_one_also_when_the_first_is_cancelled(clock):
    async def story():
        let_go = asyncio.Event()
        asked = []

        async def source():
            asked.append(1)
            await let_go.wait()
            return "opaque"

        credential = AsyncCredential(settings(source), Tokens(clock, clock))
        first = asyncio.create_task(credential.header())
        others = [asyncio.create_task(credential.header()) for _ in range(8)]
        await asyncio.sleep(0)
        first.cancel()
        let_go.set()
        assert await asyncio.gather(*others) == ["Bearer opaque"] * 8
        return asked

    assert asyncio.run(story()) == [1]


def test_a_refused_token_says_nothing_of_the_session():
    assert not is_expired(caller_refused("token_expired"))
    assert is_expired(RemitError("no", status="UNAUTHENTICATED", reason="token_expired", field="remit-session"))


def test_options_name_one_credential():
    more = {"tls": None, "deadline": 1.0, "hedge": 1.0, "reports_max": 1, "supported_constraints": ()}

    def refused(environment=None, **given):
        with pytest.raises(RemitError) as error:
            settle(**{"address": None, "key": None, **more, **given}, environment=environment or {})
        return error.value.field, error.value.fix

    def source(environment, **given):
        return settle(**{"address": None, "key": None, **more, **given}, environment=environment)

    assert refused(key="rmt_k", token=str)[0] == "token"
    assert "pathlib.Path" in refused(token="e30.e30.e30")[1]
    assert refused({"REMIT_API_KEY": "rmt_k", "REMIT_TOKEN": "t"})[0] == "token"
    assert source({"REMIT_TOKEN_FILE": "/t"}).token == Path("/t")
    assert source({"REMIT_TOKEN": "t"}).token() == "t"
    assert source({"REMIT_TOKEN": "t"}, key="rmt_k").token is None
    assert source({"REMIT_API_KEY": "rmt_k"}, token=Path("/t")).key == ""

    async def later():
        return "t"

    with pytest.raises(RemitError, match="coroutine function"):
        Client("127.0.0.1:1", token=later)


def by_token(taken):
    """A server's decision: it takes these tokens and no others."""
    seen = []

    def decide(request, context):
        header = dict(context.invocation_metadata())["authorization"]
        seen.append(header)
        if header not in taken:
            refuse(context, grpc.StatusCode.UNAUTHENTICATED, "token_invalid", field="authorization")
        return allow(request)

    return seen, decide


def test_a_call_goes_on_with_another_token_when_the_first_is_refused():
    fake = FakeServer()
    seen, fake.decide = by_token({"Bearer opaque-2"})
    source = Source(lambda times: f"opaque-{times}")
    with serving(fake) as address, Client(address, token=source, deadline=LONG, hedge=LONG) as client:
        session = client.open_session(agent="clerk")
        assert client.decide(session, "tool", {}, call_id="call").effect == "allow"
    assert seen == ["Bearer opaque-1", "Bearer opaque-2"]
    assert fake.renewed == 0


def test_a_coroutines_call_goes_on_with_another_token_when_the_first_is_refused():
    fake = FakeServer()
    seen, fake.decide = by_token({"Bearer opaque-2"})
    source = Source(lambda times: f"opaque-{times}")

    async def story(address):
        async def later():
            return source()

        async with AsyncClient(address, token=later, deadline=LONG, hedge=LONG) as client:
            session = await client.open_session(agent="clerk")
            return await client.decide(session, "tool", {}, call_id="call")

    with serving(fake) as address:
        assert asyncio.run(story(address)).effect == "allow"
    assert seen == ["Bearer opaque-1", "Bearer opaque-2"]
    assert fake.renewed == 0


def test_a_token_that_stays_refused_is_an_error_after_a_second_try():
    fake = FakeServer()
    seen, fake.decide = by_token(set())
    with serving(fake) as address, Client(address, token=lambda: "bad", deadline=LONG, hedge=LONG) as client:
        session = client.open_session(agent="clerk")
        with pytest.raises(RemitError) as error:
            client.decide(session, "tool", {}, call_id="call")
    assert (error.value.status, error.value.reason) == ("UNAUTHENTICATED", "token_invalid")
    assert seen == ["Bearer bad"] * 2


def test_without_a_token_nothing_is_asked_and_nothing_runs():
    fake = FakeServer()
    answers = iter(["opaque"])
    with serving(fake) as address, Client(address, token=lambda: next(answers), deadline=0.3, hedge=LONG) as client:
        session = client.open_session(agent="clerk")
        client._wire._credential._tokens.refused("Bearer opaque")

        @client.guard("tool")
        def never(given):
            raise AssertionError("it ran")

        with pytest.raises(DeniedError) as denied:
            never(session, {}, call_id="call")
    assert (denied.value.code, fake.asked, fake.told) == ("unreachable", [], [])
