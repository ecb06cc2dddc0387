"""Compile the proto: ``python rpc/proto/generate.py``, with grpcio-tools installed.

Writes ``rpc/v1/gramdex.binpb``, which the package reads, and ``rpc/v1/__init__.pyi`` for people and
type checkers. A test compares both with the proto.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

PROTO = Path(__file__).parent
SOURCE = PROTO / "gramdex" / "v1" / "gramdex.proto"
TARGET = PROTO.parent / "v1"


def compile_proto() -> dict[str, bytes]:
    """What the proto is compiled to, by file name."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "gramdex.binpb"
        arguments = [f"-I{PROTO}", f"--descriptor_set_out={compiled}", f"--pyi_out={folder}"]
        if protoc.main(["protoc", *arguments, str(SOURCE)]):
            raise SystemExit(f"{SOURCE} does not compile")
        stubs = Path(folder, "gramdex", "v1", "gramdex_pb2.pyi").read_bytes()
        return {"gramdex.binpb": compiled.read_bytes(), "__init__.pyi": stubs}


if __name__ == "__main__":
    for name, content in compile_proto().items():
        (TARGET / name).write_bytes(content)
        sys.stdout.write(f"{TARGET / name}: {len(content)} bytes\n")
