import json
import math
from datetime import datetime, timezone
from pathlib import Path

import pytest

from remit_sdk.canonical import NotJsonError, canonical
from remit_sdk.digest import input_digest, output_digest, schema_digest

VECTORS = json.loads((Path(__file__).parents[2] / "proto" / "canonical-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["json"][:40])
def test_the_canonical_form_and_its_digest_are_those_of_every_sdk(vector):
    text = canonical(json.loads(vector["json"]))
    assert text == vector["canonical"]
    assert input_digest(text) == vector["inputDigest"]


@pytest.mark.parametrize("text", VECTORS["refused"], ids=lambda text: text[:20])
def test_what_two_readers_could_read_differently_has_no_canonical_form(text):
    with pytest.raises(NotJsonError):
        canonical(json.loads(text))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, {"big": 2**53}]}, ".a[1].big"),
        ({"a": math.nan}, ".a"),
        ({"a": "\ud800"}, ".a"),
        ({"at": datetime.now(timezone.utc)}, ".at"),
        ({"odd name": {1, 2}}, '["odd name"]'),
        ({"a": b"bytes"}, ".a"),
        ({"a": {1: "a key that is no text"}}, ".a"),
    ],
)
def test_the_error_leads_to_the_place(value, path):
    with pytest.raises(NotJsonError) as refused:
        canonical(value)
    assert refused.value.path == path


def test_nesting_is_bounded_where_the_service_bounds_it():
    def nest(levels):
        return 1 if levels == 0 else [nest(levels - 1)]

    assert canonical(nest(32)) == "[" * 32 + "1" + "]" * 32
    with pytest.raises(NotJsonError, match="deeper than 32 levels"):
        canonical(nest(33))


def test_a_tuple_is_a_list_and_a_truth_is_no_number():
    assert canonical({"t": (1, True, 1.0)}) == '{"t":[1,true,1]}'


def test_digests_are_of_their_own_kind():
    assert output_digest({"a": 1}) != input_digest('{"a":1}')
    assert output_digest(None) == ""
    assert output_digest(object()) == ""
    assert schema_digest({"type": "object"}).startswith("sha256:")
