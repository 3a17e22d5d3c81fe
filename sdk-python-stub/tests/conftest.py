"""What every test may ask for."""

import shutil
from collections.abc import Iterator

import pytest
from service import DOCUMENTS, Service, start

from remit_sdk import Client, Session


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service with the demo's documents and our own."""
    running = start()
    try:
        running.remit("apply", "-f", str(DOCUMENTS))
        yield running
    finally:
        running.stop()
        shutil.rmtree(running.data_dir, ignore_errors=True)


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """A client that has a deadline which a busy machine keeps."""
    with Client(service.grpc_address, key=service.key, deadline=10.0) as made:
        yield made


@pytest.fixture
def books(client: Client) -> Session:
    """A session of the demo's bookkeeper."""
    return client.open_session(agent="bookkeeper", principal="ada@acme.example", purpose="the invoices of the week")


@pytest.fixture
def clerk(client: Client) -> Session:
    """A session of our own agent."""
    return client.open_session(agent="clerk")
