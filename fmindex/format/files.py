"""Writing files so that a reader sees the old ones or the new ones, never something between."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gramdex.errors import BuildError, DiskFullError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals while ``path`` is written into named errors.

    Raises:
        DiskFullError: the disk, a quota or a file size limit is exhausted.
        BuildError: any other refusal (permission, read-only file system, I/O error).
    """
    try:
        yield
    except OSError as error:
        raise _named(path, error) from error


def _named(path: Path, error: OSError) -> BuildError:
    """What the operating system refused while ``path`` was written, with its remedy."""
    if error.errno in _DISK_FULL:
        return DiskFullError(
            str(path),
            f"{os.strerror(error.errno)} while writing ({_free(path):,} bytes free)",
            "room for the index",
            "free some space and run the same command again; shards already finished are kept",
        )
    if error.errno == errno.EFBIG:
        return DiskFullError(
            str(path),
            f"{os.strerror(error.errno)} while writing",
            "files as large as a shard needs to be allowed",
            "raise the file size limit (ulimit -f), or give a smaller --shard-tokens",
        )
    return BuildError(
        str(path),
        f"cannot write: {error.strerror or error}",
        "a writable output",
        "check its owner and permissions, or choose another output",
    )


def _free(path: Path) -> int:
    path = path.absolute()
    while not path.is_dir():
        path = path.parent
    return shutil.disk_usage(path).free


def require_space(path: Path, needed: int) -> None:
    """Refuse before the work starts if the disk of ``path`` has fewer than ``needed`` bytes free.

    Raises:
        DiskFullError: with what is needed and what is free.
    """
    free = _free(path)
    if free < needed:
        raise DiskFullError(
            str(path),
            f"{free:,} bytes free",
            f"{needed:,} bytes for the next shard",
            "free some space and run the same command again; finished shards are kept",
        )


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, final: Path) -> None:
    """Rename a finished, synced file or folder to its final name and sync the folder."""
    with writing(final):
        temporary.replace(final)
        sync_folder(final.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a whole small file: temporary name, sync, rename, sync of the folder."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with writing(path), temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
