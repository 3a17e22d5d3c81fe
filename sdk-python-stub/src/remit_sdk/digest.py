"""Digests as the service writes them: sha256 over a line that names the kind, and canonical JSON."""

from hashlib import sha256

from .canonical import NotJsonError, canonical

__all__ = ["input_digest", "output_digest", "schema_digest"]


def _digest(kind: str, canonical_json: str) -> str:
    text = f"remit/{kind}/v1\n{canonical_json}"
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def input_digest(canonical_json: str) -> str:
    """The digest of an input, given its canonical JSON: `sha256:<hex>` over `remit/input/v1\\n` and the text."""
    return _digest("input", canonical_json)


def schema_digest(schema: object) -> str:
    """The digest of a tool's input schema: what Remit answers when the tool is registered."""
    return _digest("schema", canonical(schema))


def output_digest(output: object) -> str:
    """The digest of what a tool returned, over `remit/output/v1\\n` and its JSON; empty when it is not JSON."""
    if output is None:
        return ""
    try:
        return _digest("output", canonical(output))
    except NotJsonError:
        return ""
