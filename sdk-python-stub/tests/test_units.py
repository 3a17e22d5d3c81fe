import pytest

from remit_sdk import Amount, Client, PausedCall, RemitError, TlsFiles
from remit_sdk._gen import decision_pb2 as pb
from remit_sdk.amount import Tally
from remit_sdk.channel import metadata
from remit_sdk.constraint import output_bytes, read_constraints, run_limits
from remit_sdk.decision import Approval, Question
from remit_sdk.report import Report, write_report
from remit_sdk.settings import settle
from remit_sdk.tries import Tries
from remit_sdk.wire import Wire

SETTLED = {
    "address": None,
    "key": None,
    "tls": None,
    "deadline": 1.0,
    "hedge": 0.25,
    "reports_max": 10,
    "supported_constraints": (),
}


def settings(environment=None, **given):
    return settle(**{**SETTLED, **given}, environment={"REMIT_API_KEY": "rmt_key", **(environment or {})})


def test_amounts_are_added_exactly_one_total_a_unit():
    tally = Tally()
    for value in ("0.1", "0.2", "10"):
        tally.add("EUR", value)
    tally.add("tokens", "100")
    assert tally.totals() == (Amount("EUR", "10.3"), Amount("tokens", "100"))
    for wrong in ("1e3", "-1", "1.1234567", "", "01"):
        with pytest.raises(ValueError, match="decimal"):
            tally.add("EUR", wrong)


def test_the_environment_names_the_service_and_the_key():
    assert settings().addresses == ("127.0.0.1:7081",)
    assert settings({"REMIT_ADDRESS": "127.0.0.1:1, localhost:2"}).addresses == ("127.0.0.1:1", "localhost:2")
    assert settings(key="rmt_other").key == "rmt_other"
    assert "rmt_key" not in repr(settings())


def test_plain_text_is_used_on_loopback_only():
    assert settings().tls is None
    assert settings(address=["127.0.0.1:1", "remit.example:7081"]).tls == TlsFiles()
    assert settings(address="remit.example:7081", tls="insecure").tls is None


def test_files_for_tls_come_from_the_environment_too_and_a_certificate_needs_no_key(tmp_path):
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    names = {"TRUST": "ca", "CERTIFICATE": "cert", "KEY": "key"}
    environment = {f"REMIT_TLS_{name}_FILE": str(tmp_path / file) for name, file in names.items()}
    found = settings(environment, key="")
    assert found.tls is not None
    assert found.tls.read() == (b"ca", b"key", b"cert")
    assert metadata(None, "t") == (("remit-session", "t"),)
    assert settings(environment, tls="insecure").tls is None
    with pytest.raises(RemitError, match="no API key"):
        settings({"REMIT_TLS_TRUST_FILE": str(tmp_path / "ca")}, key="")
    with pytest.raises(RemitError, match="cannot be read"):
        settings({"REMIT_TLS_TRUST_FILE": str(tmp_path / "nowhere")})


def test_a_channel_is_let_go_when_a_file_that_it_was_opened_with_is_replaced(tmp_path):
    trusted = tmp_path / "ca"
    trusted.write_text("first")
    wire = Wire(settings(tls=TlsFiles(ca=trusted)))
    first = wire._channel(0)
    wire._renew()
    assert wire._channel(0) is first
    trusted.write_text("second")
    wire._renew()
    second = wire._channel(0)
    assert second is not first
    trusted.unlink()
    wire._renew()
    assert wire._channel(0) is second
    wire.close()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"address": "nowhere"}, "address"),
        ({"address": "127.0.0.1:99999"}, "address"),
        ({"address": []}, "address"),
        ({"key": ""}, "key"),
        ({"key": "rmt with blanks"}, "key"),
        ({"deadline": 0}, "deadline"),
        ({"reports_max": 0}, "reports_max"),
        ({"tls": TlsFiles(cert=b"x")}, "tls"),
    ],
)
def test_a_wrong_option_is_named_with_its_fix(given, field):
    with pytest.raises(RemitError) as wrong:
        settings(**given)
    assert (wrong.value.reason, wrong.value.field) == ("configuration_invalid", field)
    assert wrong.value.fix
    assert "rmt with blanks" not in str(wrong.value)


def test_there_is_no_default_key(monkeypatch):
    monkeypatch.delenv("REMIT_API_KEY", raising=False)
    with pytest.raises(RemitError, match="REMIT_API_KEY"):
        Client()


def test_a_constraint_that_cannot_be_honoured_is_named():
    supported = frozenset({"timeout", "maxOutputBytes"})
    timeout = pb.Constraint(name="timeout")
    timeout.duration.FromMilliseconds(1500)
    narrow = pb.Constraint(name="maxOutputBytes", integer=10)
    wide = pb.Constraint(name="maxOutputBytes", integer=99)
    read = read_constraints([timeout, wide, narrow], supported)
    assert not isinstance(read, str)
    limits = run_limits(read)
    assert (limits.timeout, limits.output_bytes_max) == (1.5, 10)
    assert read_constraints([pb.Constraint(name="timeout", flag=True)], supported) == "timeout"
    assert read_constraints([pb.Constraint(name="timeout")], supported) == "timeout"
    assert read_constraints([pb.Constraint(name="redactOutput", flag=True)], supported) == "redactOutput"


def test_the_size_of_an_output_is_that_of_its_json():
    sizes = [output_bytes(output) for output in (None, "é", b"abc", {"a": "é"}, object())]
    assert sizes == [0, 2, 3, 10, None]


def test_a_report_is_about_one_thing():
    for wrong in (Report(outcome="succeeded"), Report(outcome="succeeded", decision_id="a", call_id="b")):
        with pytest.raises(RemitError, match="is about a decision id"):
            write_report(wrong)
    with pytest.raises(RemitError, match="is not an outcome"):
        write_report(Report(outcome="done", decision_id="a"))  # type: ignore[arg-type]
    assert write_report(Report(outcome="unknown", call_id="a", duration=1.5)).duration.seconds == 1


def test_a_paused_call_survives_json():
    paused = PausedCall(
        effect="clarify",
        session_id="s",
        call_id="c",
        tool="t",
        input={"amount": 1},
        decision_id="d",
        attempt=1,
        code="facts_missing",
        message="Say why.",
        estimate=(Amount("EUR", "1"),),
        approval=Approval("", "pending", "", "", ""),
        questions=(Question("memo", "string", "Why?"),),
    )
    assert PausedCall.from_json(paused.to_json()) == paused
    for wrong in ("{}", "[]", "not json", paused.to_json().replace("clarify", "allow")):
        with pytest.raises(RemitError, match="not a paused call"):
            PausedCall.from_json(wrong)


def test_a_silent_try_gets_company_once_and_a_failed_one_is_followed_soon():
    tries = Tries(now=100.0, deadline=1.0, hedge=0.25, random=lambda: 1.0)
    assert tries.due(100.0)
    assert tries.start(100.0) == 0
    assert not tries.due(100.2)
    assert tries.wait(100.2) == pytest.approx(0.05)
    assert tries.due(100.25)
    assert tries.start(100.25) == 1
    assert tries.wait(100.3) == pytest.approx(0.7)
    passing = RemitError("", status="UNAVAILABLE", reason="ledger_unavailable", retryable=True)
    tries.fail(100.4, passing)
    assert tries.unseen == 1
    assert tries.next_at == pytest.approx(100.41)
    final = RemitError("", status="INVALID_ARGUMENT", reason="request_invalid")
    with pytest.raises(RemitError):
        tries.fail(100.5, final)
    assert not tries.due(101.0)
    assert tries.over(101.0)
