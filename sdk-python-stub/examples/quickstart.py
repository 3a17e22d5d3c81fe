"""A tool that asks before it runs, on the tenant of `npm start`. Needs REMIT_API_KEY; REMIT_ADDRESS if it moved."""

from typing import Any

from remit_sdk import Client, DeniedError, PausedError, Run

with Client() as remit:
    remit.ready()

    @remit.guard("payments.transfer")
    def transfer(payment: dict[str, Any], run: Run) -> str:
        """Stands for a bank: it would get the idempotency key, so that a repeat pays once."""
        run.cost("EUR", str(payment["amount"]))
        return f"paid {payment['amount']} {payment['currency']} to {payment['to']}"

    @remit.guard("customers.delete")
    def delete(given: dict[str, Any]) -> str:
        """Never runs: a rule denies it."""
        return f"deleted {given['filter']}"

    session = remit.open_session(agent="bookkeeper", principal="ada@acme.example", purpose="a quick start")
    payment = {"to": "Nile Trading", "amount": 40, "currency": "EUR"}
    try:
        transfer(session, payment)
    except PausedError as waits:
        print("asked:", ", ".join(question.ask for question in waits.paused.questions))
        print(transfer.resume(session, waits.paused, answers={"memo": "invoice 2041"}))
    try:
        delete(session, {"filter": "inactive"})
    except DeniedError as denied:
        print(f"denied ({denied.code}): {denied}")
