"""A service that goes away and comes back."""

import shutil

import pytest
from service import start

from remit_sdk import Client, DeniedError


def test_reports_wait_for_a_service_that_restarts_and_calls_are_denied_meanwhile():
    first = start()
    try:
        client = Client(first.grpc_address, key=first.key, deadline=10.0)
        session = client.open_session(agent="bookkeeper")
        ran = []

        @client.guard("invoices.read")
        def read(given, run):
            ran.append(run.idempotency_key)
            if given["id"] == "stops it":
                first.stop()

        read(session, {"id": "stops it"})
        impatient = Client(first.grpc_address, key=first.key, deadline=0.3)
        with pytest.raises(DeniedError) as away:
            impatient.guard("invoices.read")(lambda given: None)(session, {"id": "2"})
        assert (away.value.code, away.value.local) == ("unreachable", True)
        again = start(first.data_dir, first.grpc_address, first.key)
        try:
            assert client.flush(30)
            read(session, {"id": "3"})
            client.close()
            impatient.close()
            assert [again.outcomes(decision) for decision in ran] == [["succeeded"], ["succeeded"]]
        finally:
            again.stop()
    finally:
        if first.process.poll() is None:
            first.stop()
        shutil.rmtree(first.data_dir, ignore_errors=True)
