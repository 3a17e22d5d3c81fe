"""A real `remit serve` of the checkout, with a Postgres of its own."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node_modules" / ".bin" / "node"
REMIT = ROOT / "services" / "cli" / "bin" / "remit.js"
DOCUMENTS = Path(__file__).resolve().parent / "documents"
NOWHERE = "127.0.0.1:0"


@dataclass
class Service:
    """Where a service listens, and the key of its owner."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    grpc_address: str
    admin_address: str
    key: str

    def remit(self, *arguments: str) -> str:
        """What the command line says; its end is 0."""
        env = environment(
            REMIT_API_KEY=self.key, REMIT_ADDRESS=self.grpc_address, REMIT_ADMIN_ADDRESS=self.admin_address
        )
        done = subprocess.run([NODE, REMIT, *arguments], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def entry(self, decision_id: str) -> dict[str, Any]:
        """A decision and the reports on it, as the ledger has them."""
        answer: dict[str, Any] = json.loads(self.remit("why", decision_id, "--json"))
        return answer

    def outcomes(self, decision_id: str) -> list[str]:
        """What was reported of a decision."""
        return [report["body"]["outcome"] for report in self.entry(decision_id).get("reports", [])]

    def stop(self) -> None:
        """Ends it as an operator does."""
        self.process.terminate()
        self.process.communicate(timeout=60)


def environment(**given: str) -> dict[str, str]:
    """The machine's environment without settings of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
    return {**own, **given}


def start(data_dir: Path | None = None, grpc_address: str = NOWHERE, key: str = "") -> Service:
    """Starts a service and waits until it is ready."""
    # Not a folder of pytest's: Postgres, which does not run as root, could not enter it.
    directory = data_dir or Path(tempfile.mkdtemp(prefix="remit-py-"))
    ports = [
        "--log-level",
        "warn",
        "--grpc-address",
        grpc_address,
        "--http-address",
        NOWHERE,
        "--admin-address",
        NOWHERE,
        "--metrics-address",
        NOWHERE,
    ]
    process = subprocess.Popen(
        [NODE, REMIT, "serve", "--demo", "--json", "--data-dir", directory, *ports],
        env=environment(**({"REMIT_API_KEY": key} if key else {})),
        cwd=tempfile.gettempdir(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if line == "":
        raise RuntimeError(f"the service did not start: {process.communicate()[1]}")
    at = json.loads(line)
    return Service(process, directory, at["grpcAddress"], at["adminAddress"], at["demo"]["key"])
