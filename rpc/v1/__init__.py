"""The messages and methods of ``gramdex.v1``.

Made from the compiled proto, ``gramdex.binpb``, when this is imported: classes generated as source
would work with few versions of protobuf only. What is here is written out in ``__init__.pyi``; the
proto is ``rpc/proto/gramdex/v1/gramdex.proto``, and ``rpc/proto/generate.py`` compiles it.
"""

from __future__ import annotations

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_POOL = descriptor_pool.Default()
_FILE = descriptor_pb2.FileDescriptorSet.FromString(
    Path(__file__).with_name("gramdex.binpb").read_bytes()
).file[0]
_POOL.AddSerializedFile(_FILE.SerializeToString())

DESCRIPTOR = _POOL.FindFileByName(_FILE.name)

globals().update(
    (name, message_factory.GetMessageClass(descriptor))
    for name, descriptor in DESCRIPTOR.message_types_by_name.items()
)
