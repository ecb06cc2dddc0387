"""Every error Gramdex raises, in one tree.

::

    GramdexError                    exit
    ├── InputError                     1   a corpus file or record cannot be indexed
    │   ├── EmptyFileError             1   a file holds no document
    │   └── RecordError                1   one record is bad; reading can go on after it
    ├── BuildError                     1   a build cannot go on
    │   ├── OutputExistsError          1   the output already holds something else
    │   ├── DiskFullError              1   no room for what has to be written
    │   ├── MemoryBoundError           2   the work does not fit the stated memory
    │   └── WorkerDiedError            1   a worker process ended without a result
    ├── UsageError                     2   an argument has no meaning here
    │   ├── QueryError                 2   a query holds what no query may hold
    │   │   └── WorkLimitError         2   a query would take more work than the caller allows
    │   └── TokenizerError             2   a tokenizer is unknown, missing or another one
    └── IndexFileError                 3   files of an index cannot be trusted
        ├── UnreadableIndexError       1   the system does not let them be read
        ├── CorruptIndexError          3   bytes are not what the index says they are
        ├── VersionError               3   written by a version this one cannot read
        └── IncompleteIndexError       4   the build of this index has not finished

Each error names the thing, what was found, what was expected and the remedy.
"""

from __future__ import annotations

__all__ = [
    "BuildError",
    "CorruptIndexError",
    "DiskFullError",
    "EmptyFileError",
    "GramdexError",
    "IncompleteIndexError",
    "IndexFileError",
    "InputError",
    "MemoryBoundError",
    "OutputExistsError",
    "QueryError",
    "RecordError",
    "TokenizerError",
    "UnreadableIndexError",
    "UsageError",
    "VersionError",
    "WorkLimitError",
    "WorkerDiedError",
]


class GramdexError(Exception):
    """Root of the tree; every subclass is built from the same four phrases.

    Args:
        thing: what the error is about (``"corpus.jsonl:17"``, ``"--memory"``).
        found: what was there.
        expected: what should have been there.
        remedy: what the reader can do about it; each class has one for where nothing more
            particular is said.
    """

    exit_code = 1
    usual_remedy = ""

    def __init__(self, thing: str, found: str, expected: str = "", remedy: str = "") -> None:
        super().__init__(thing, found, expected, remedy)
        self.thing, self.found, self.expected = thing, found, expected
        self.remedy = remedy or self.usual_remedy

    def __str__(self) -> str:
        text = f"{self.thing}: {self.found}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.remedy:
            text += f". Remedy: {self.remedy}"
        return text


class InputError(GramdexError):
    """A corpus file or record cannot be indexed."""

    usual_remedy = "mend it, or leave it out of the input"


class EmptyFileError(InputError):
    """A file holds no document."""


class RecordError(InputError):
    """One record is bad; reading can go on with the next."""


class BuildError(GramdexError):
    """A build cannot go on."""


class OutputExistsError(BuildError):
    """The output already holds something this build must not touch."""

    usual_remedy = "choose another output"


class DiskFullError(BuildError):
    """No room on the disk for what has to be written."""


class MemoryBoundError(BuildError):
    """The work does not fit the memory the caller stated."""

    exit_code = 2


class WorkerDiedError(BuildError):
    """A worker process ended without handing back a result."""


class UsageError(GramdexError, ValueError):
    """An argument has no meaning here."""

    exit_code = 2
    usual_remedy = "change it to what was expected"


class QueryError(UsageError):
    """A query holds what no query may hold: an unknown id, the separator, floats."""


class WorkLimitError(QueryError):
    """Answering a query would take more work than the caller allows."""


class TokenizerError(UsageError):
    """A tokenizer is unknown, not installed, or not the one of this index."""


class IndexFileError(GramdexError):
    """Files of an index cannot be trusted."""

    exit_code = 3
    usual_remedy = "restore the index from a copy or build it again"


class UnreadableIndexError(IndexFileError):
    """The system does not let a file of an index be read."""

    exit_code = 1
    usual_remedy = "check its owner and mode"


class CorruptIndexError(IndexFileError):
    """Bytes of an index are not what the index says they are."""


class VersionError(IndexFileError):
    """An index was written by a version that this one cannot read."""


class IncompleteIndexError(IndexFileError):
    """The build of this index has not finished."""

    exit_code = 4
