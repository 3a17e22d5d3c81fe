"""Refunds that share a budget, on the tenant of `npm start`. Needs REMIT_API_KEY; REMIT_ADDRESS if it moved."""

from collections.abc import Mapping
from typing import Any

from remit_sdk import Amount, Client, DeniedError, Run


def estimate(given: Mapping[str, Any]) -> list[Amount]:
    """What is held before a refund runs."""
    return [Amount("EUR", str(given["amount"]))]


with Client() as remit:
    remit.ready()

    @remit.guard("refunds.pay", estimate=estimate)
    def refund(given: dict[str, Any], run: Run) -> str:
        """Gives one coin less than was asked for: what is not said here is taken to have cost what was held."""
        given_back = given["amount"] - 1
        run.cost("EUR", str(given_back))
        return f"gave {given['customer']} {given_back} EUR back"

    session = remit.open_session(agent="bookkeeper", principal="ada@acme.example", purpose="refunds")
    for amount in (61, 41, 40):
        try:
            print(refund(session, {"customer": "p-1", "amount": amount}))
        except DeniedError as denied:
            if denied.code != "budget_exhausted":
                raise
            print(f"denied ({denied.code}): {amount} EUR do not fit")
        # What a call gave back is free once its report has been taken.
        remit.flush()
