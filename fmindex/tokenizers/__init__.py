"""How text becomes the ids of an index, and ids text again.

One file per kind, behind one interface in ``base.py``:

=================  ===================================================================
``utf8.py``        bytes as tokens
``huggingface*``   a ``tokenizer.json``
``tiktoken_*``     a ``.tiktoken`` rank file with a published split pattern
``sentencepiece*`` a SentencePiece ``.model``
``unknown.py``     a corpus that came as ids
``ranks.py``       the order of tokens inside an index
``roundtrip.py``   the check that nothing of a document was lost
=================  ===================================================================

The bytes of ids are read from the tokenizer's file by code of this package; the libraries
``tokenizers``, ``tiktoken`` and ``sentencepiece`` are imported when text is first encoded.
"""

from __future__ import annotations

import os
from pathlib import Path

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.base import Tokenizer
from gramdex.fmindex.tokenizers.huggingface import HuggingFaceTokenizer
from gramdex.fmindex.tokenizers.ranks import NO_ID, byte_order_ranks, identity_ranks
from gramdex.fmindex.tokenizers.roundtrip import roundtrips
from gramdex.fmindex.tokenizers.sentencepiece_model import SentencePieceTokenizer
from gramdex.fmindex.tokenizers.tiktoken_ranks import TiktokenTokenizer
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes
from gramdex.fmindex.tokenizers.unknown import NoTokenizer
from gramdex.fmindex.tokenizers.utf8 import ByteTokenizer

__all__ = [
    "NO_ID",
    "ByteTokenizer",
    "HuggingFaceTokenizer",
    "NoTokenizer",
    "SentencePieceTokenizer",
    "TiktokenTokenizer",
    "TokenBytes",
    "Tokenizer",
    "byte_order_ranks",
    "identity_ranks",
    "load_tokenizer",
    "restore_tokenizer",
    "roundtrips",
]

_FORMS = (
    '"bytes", a tokenizer.json or a folder with one, a .tiktoken file, '
    "tiktoken:NAME:PATH, or a SentencePiece .model"
)

_CLASSES: dict[str, type[Tokenizer]] = {
    cls.kind: cls
    for cls in (ByteTokenizer, HuggingFaceTokenizer, TiktokenTokenizer, SentencePieceTokenizer)
}


def load_tokenizer(spec: str | os.PathLike[str] | Tokenizer, to_encode: bool = True) -> Tokenizer:
    """Tokenizer a person named, ready to encode.

    Args:
        spec: ``"bytes"``; the path of a ``tokenizer.json`` or of a folder that holds one; of a
            ``.tiktoken`` file whose name is that of its encoding, or ``tiktoken:NAME:PATH``; of
            a SentencePiece ``.model``; or a `Tokenizer`, handed back as it is.
        to_encode: load its library now, so that errors come early; else at the first text.

    Raises:
        TokenizerError: unknown form, missing or malformed file, library not installed.
    """
    if isinstance(spec, Tokenizer):
        return spec
    tokenizer = _from_spec(spec)
    if to_encode:
        tokenizer.prepare()
    return tokenizer


def restore_tokenizer(
    kind: str, options: dict[str, str], files: dict[str, bytes], vocabulary_size: int | None
) -> Tokenizer:
    """Tokenizer of an index from what was stored: its attributes of the same names.

    Nothing is parsed or imported until it is needed; a file that does not have
    ``vocabulary_size`` ids is refused when it is first read.

    Raises:
        TokenizerError: unknown kind, or a file is missing.
    """
    if kind == NoTokenizer.kind and vocabulary_size is not None:
        return NoTokenizer(vocabulary_size)
    if kind not in _CLASSES:
        known = ", ".join([*_CLASSES, NoTokenizer.kind])
        raise TokenizerError("tokenizer of the index", f"kind {kind!r}", f"one of {known}")
    return _CLASSES[kind](files, options, vocabulary_size)


def _from_spec(spec: str | os.PathLike[str]) -> Tokenizer:
    if not isinstance(spec, (str, os.PathLike)):
        raise TokenizerError("tokenizer", f"a {type(spec).__name__}", _FORMS)
    if spec == ByteTokenizer.kind:
        return ByteTokenizer()
    if isinstance(spec, str) and spec.startswith("tiktoken:"):
        _, name, file = [*spec.split(":", 2), "", ""][:3]
        if not file:
            found = "no path of its rank file"
            raise TokenizerError(spec, found, "tiktoken:NAME:PATH", "name the file")
        return _load(TiktokenTokenizer, Path(file), {"encoding": name})
    path = Path(spec)
    if path.is_dir():
        path /= HuggingFaceTokenizer.file_name
    if path.suffix == ".json":
        return _load(HuggingFaceTokenizer, path, {})
    if path.suffix == ".tiktoken":
        return _load(TiktokenTokenizer, path, {"encoding": path.stem})
    if path.suffix == ".model":
        return _load(SentencePieceTokenizer, path, {})
    raise TokenizerError("tokenizer", repr(str(spec)), _FORMS, "name one of these")


def _load(cls: type[Tokenizer], path: Path, options: dict[str, str]) -> Tokenizer:
    try:
        data = path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise TokenizerError(str(path), found, _FORMS, "check the path") from error
    return cls({cls.file_name: data}, options, source=str(path))
