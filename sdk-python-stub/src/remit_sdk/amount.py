"""Exact sums of amounts."""

from __future__ import annotations

import re
from decimal import Decimal

from .decision import Amount

__all__ = ["Tally"]

_DECIMAL = re.compile(r"(?:0|[1-9]\d{0,12})(?:\.\d{1,6})?", re.ASCII)


class Tally:
    """Sums amounts as they come, one total a unit."""

    def __init__(self) -> None:
        self._sums: dict[str, Decimal] = {}

    def add(self, unit: str, value: str) -> None:
        """Adds a decimal such as "12.50". Raises `ValueError` for what is none."""
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise ValueError(f'{value!r} {unit} is not a decimal such as "12.50"')
        self._sums[unit] = self._sums.get(unit, Decimal(0)) + Decimal(value)

    def totals(self) -> tuple[Amount, ...]:
        """The totals in the order in which their units came first."""
        return tuple(Amount(unit, _plain(total)) for unit, total in self._sums.items())


def _plain(total: Decimal) -> str:
    text = f"{total:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
