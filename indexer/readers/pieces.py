"""Cutting documents too large to encode at once.

A tokenizer library takes some hundred bytes of memory per character while it encodes, so the
largest text it is given bounds what a build takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gramdex.indexer.records import BadRecord, Record

CHARACTERS = 2 << 20
"""Characters of the largest piece of a text."""


def cut(record: Record | BadRecord) -> Iterator[Record | BadRecord]:
    """Yield the record, or pieces of its text that end after a newline where they have one."""
    if isinstance(record, BadRecord) or not isinstance(record.data, str):
        yield record
        return
    text, start = record.data, 0
    while len(text) - start > CHARACTERS:
        end = text.rfind("\n", start, start + CHARACTERS) + 1 or start + CHARACTERS
        yield replace(record, data=text[start:end], continues=True)
        start = end
    yield replace(record, data=text[start:]) if start else record
