"""The same for asyncio: calls that are under way together. Needs REMIT_API_KEY; REMIT_ADDRESS if it moved."""

import asyncio
from typing import Any

from remit_sdk import AsyncClient


async def main() -> None:
    """Reads three invoices at once, each asked about."""
    async with AsyncClient() as remit:
        await remit.ready()

        @remit.guard("invoices.read")
        async def read(given: dict[str, Any]) -> str:
            return f"invoice {given['id']}"

        session = await remit.open_session(agent="bookkeeper", principal="ada@acme.example")
        for text in await asyncio.gather(*(read(session, {"id": str(number)}) for number in range(1, 4))):
            print(text)


asyncio.run(main())
