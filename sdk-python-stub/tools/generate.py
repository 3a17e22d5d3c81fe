"""Generates the messages under src/remit_sdk/_gen from ../proto; with --check it only says whether they differ."""

import re
import sys
import tempfile
from pathlib import Path
from shutil import copytree, rmtree

import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent.parent
PROTO = HERE.parent / "proto"
TARGET = HERE / "src" / "remit_sdk" / "_gen"
SOURCES = ("common", "decision", "session")

# protoc imports by the path of the .proto, as if nobody else had a package named remit.
IMPORT = re.compile(r"^from remit\.v1 import", re.MULTILINE)

# Python's runtime keeps the names of oneofs and the JSON names of fields in one table, so a field that JSON calls
# `input` cannot stand in a oneof of that name. The names of oneofs are on no wire: here they get others.
ONEOF = re.compile(r"^(\s*oneof )(input|context|answers) \{$", re.MULTILINE)


def sources(into: Path) -> None:
    """Copies the .proto files as Python takes them."""
    target = into / "remit" / "v1"
    target.mkdir(parents=True)
    for name in SOURCES:
        file = Path("remit") / "v1" / f"{name}.proto"
        (into / file).write_text(ONEOF.sub(r"\1\2_form {", (PROTO / file).read_text()))


def generate(into: Path) -> None:
    """Writes the package `_gen` with the messages of the decision point and their types."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as copies, tempfile.TemporaryDirectory() as scratch:
        sources(Path(copies))
        arguments = [
            "protoc",
            f"-I{copies}",
            f"-I{well_known}",
            f"--python_out={scratch}",
            f"--pyi_out={scratch}",
        ]
        if protoc.main([*arguments, *(f"remit/v1/{name}.proto" for name in SOURCES)]) != 0:
            raise SystemExit("protoc failed: what it said stands above")
        into.mkdir(parents=True)
        (into / "__init__.py").write_text('"""Generated from proto/ by tools/generate.py."""\n')
        for file in sorted((Path(scratch) / "remit" / "v1").iterdir()):
            text = IMPORT.sub("from remit_sdk._gen import", file.read_text())
            (into / file.name).write_text(text)


def contents(package: Path) -> dict[str, str]:
    """The text of every file, by its name."""
    return {file.name: file.read_text() for file in package.iterdir() if file.is_file()}


def differences(one: Path, other: Path) -> list[str]:
    """The names of files that are not the same in both."""
    ours, theirs = contents(one), contents(other) if other.exists() else {}
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def main() -> None:
    """Generates, or checks."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "_gen"
        generate(fresh)
        if "--check" not in sys.argv:
            rmtree(TARGET, ignore_errors=True)
            copytree(fresh, TARGET)
        elif different := differences(fresh, TARGET):
            names = ", ".join(different)
            raise SystemExit(
                f"not what proto/ gives: {names}\nrun python tools/generate.py and commit src/remit_sdk/_gen"
            )


if __name__ == "__main__":
    main()
