import subprocess
import sys
from pathlib import Path

import pytest
from service import environment

EXAMPLES = Path(__file__).parents[1] / "examples"

SAID = {
    "quickstart.py": [
        "asked: What is this payment for?",
        "paid 40 EUR to Nile Trading",
        "denied (rule_denied): Agents do not delete customer records. Ask a person in operations.",
    ],
    "quickstart_async.py": ["invoice 1", "invoice 2", "invoice 3"],
    "spending.py": [
        "gave p-1 60 EUR back",
        "denied (budget_exhausted): 41 EUR do not fit",
        "gave p-1 39 EUR back",
    ],
}


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_example_says_what_it_is_about(service, name):
    env = environment(REMIT_API_KEY=service.key, REMIT_ADDRESS=service.grpc_address)
    done = subprocess.run([sys.executable, EXAMPLES / name], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (SAID[name], "", 0)


def test_every_example_is_run():
    assert sorted(file.name for file in EXAMPLES.glob("*.py")) == sorted(SAID)
