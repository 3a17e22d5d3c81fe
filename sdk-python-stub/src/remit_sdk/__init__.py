"""
Asks Remit before an AI agent's tool runs, runs what was decided, and reports what happened.

`Client` is for threads, `AsyncClient` for asyncio. README.md tells what is called and how it ends.
"""

from .aio import AsyncClient, AsyncGuarded, AsyncSession
from .client import Client, Guarded, Session
from .decision import (
    Amount,
    Approval,
    Constraint,
    Decision,
    Denied,
    Outcome,
    Paused,
    PausedCall,
    Permitted,
    Question,
    Reason,
    Recorded,
    Reported,
    RuleRef,
    Would,
)
from .digest import schema_digest
from .errors import ConstraintError, DeniedError, NothingSpent, PausedError, RemitError
from .run import Run
from .sessions import Principal
from .settings import TlsFiles, TokenSource

__all__ = [
    "Amount",
    "Approval",
    "AsyncClient",
    "AsyncGuarded",
    "AsyncSession",
    "Client",
    "Constraint",
    "ConstraintError",
    "Decision",
    "Denied",
    "DeniedError",
    "Guarded",
    "NothingSpent",
    "Outcome",
    "Paused",
    "PausedCall",
    "PausedError",
    "Permitted",
    "Principal",
    "Question",
    "Reason",
    "Recorded",
    "RemitError",
    "Reported",
    "RuleRef",
    "Run",
    "Session",
    "TlsFiles",
    "TokenSource",
    "Would",
    "schema_digest",
]
