"""What normalization leaves of a text, and where each character of it came from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields

import numpy as np

from gramdex.errors import UsageError


class _Deletions(dict[int, int | None]):
    """For ``str.translate``: marks and symbols go, all else stays; filled as it is asked."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code))[0] in "PS" else code
        self[code] = kept
        return kept


_DELETIONS = _Deletions()


@dataclass(frozen=True)
class Normalization:
    """Which differences between texts do not count.

    Attributes:
        case: letters are case-folded.
        punctuation: punctuation marks and symbols (Unicode P and S) are deleted.
        whitespace: each run of white space is one space. Such a text begins and ends with a
            space as well, so that words are looked for as whole words.
    """

    case: bool = True
    punctuation: bool = True
    whitespace: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """What is set."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name))

    @property
    def pad(self) -> int:
        """Characters put before and after a text."""
        return int(self.whitespace)

    def apply(self, text: str) -> str:
        """The text normalized."""
        if self.punctuation:
            text = text.translate(_DELETIONS)
        if self.case:
            text = text.casefold()
        if self.whitespace:
            text = " ".join(text.split())
            return f" {text} " if text else ""
        return text

    def apply_with_origin(self, text: str) -> tuple[str, np.ndarray]:
        """The same, and for each of its characters the character of ``text`` it came from."""
        kept: list[str] = []
        origin: list[int] = []
        space = 0 if self.whitespace else None  # where white space began that is not yet kept
        for place, character in enumerate(text):
            if self.whitespace and character.isspace():
                space = place if space is None else space
                continue
            if self.punctuation and _DELETIONS[ord(character)] is None:
                continue
            if space is not None:
                kept.append(" ")
                origin.append(space)
                space = None
            folded = character.casefold() if self.case else character
            kept.append(folded)
            origin += [place] * len(folded)
        if kept and self.whitespace:
            kept.append(" ")
            origin.append(len(text) - 1)
        return "".join(kept), np.array(origin, np.int64)

    def __repr__(self) -> str:
        return f"Normalization({', '.join(self.names) or 'nothing'})"


def parse_normalization(text: str) -> Normalization | None:
    """Read names separated by commas; "all", or "none" for no normalization.

    Raises:
        UsageError: there is no such name.
    """
    known = [each.name for each in fields(Normalization)]
    names = [name.strip() for name in text.split(",")]
    if names == ["none"]:
        return None
    if names == ["all"]:
        return Normalization()
    for name in names:
        if name not in known:
            raise UsageError("--normalize", repr(name), f"all, none, or some of {', '.join(known)}")
    return Normalization(**{name: name in names for name in known})
