"""Field maps: which fields of a benchmark's records are question and answer."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from gramdex.errors import RecordError, UsageError
from gramdex.fmindex.queries.contamination.results import Example

_KEYS = ("question", "answer", "choices", "labels", "id", "join", "columns")
_SHOWN = 20


@dataclass(frozen=True)
class FieldMap:
    """Where the texts of an example are; see ``benchmarks.toml``.

    Attributes:
        name: of the map.
        question, answer, choices: paths of fields.
        labels, id: one path each.
        join: what stands between question and answer.
        columns: of a CSV file without a header.
    """

    name: str
    question: tuple[str, ...]
    answer: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    labels: str | None = None
    id: str | None = None
    join: str | None = None
    columns: tuple[str, ...] = ()

    def fits(self, record: dict[str, Any]) -> bool:
        """Whether the record has every field."""
        paths = [*self.question, *self.answer, *self.choices]
        paths += [path for path in (self.labels, self.id) if path is not None]
        return all(_values(record, path) for path in paths)

    def example(self, record: dict[str, Any], place: str, number: int) -> Example:
        """The example of a record.

        Raises:
            RecordError: a field is missing or no text, or the question is empty.
        """
        question = tuple(text for path in self.question for text in _texts(record, path, place))
        if not any(text.strip() for text in question):
            raise RecordError(place, "an empty question", "a text", "repair or remove it")
        named = _values(record, self.id) if self.id is not None else []
        name = str(named[0]) if named else str(number)
        return Example(name, question, self._answer(record, place), self.join)

    def _answer(self, record: dict[str, Any], place: str) -> tuple[str, ...]:
        if not self.choices:
            return tuple(text for path in self.answer for text in _texts(record, path, place))
        choices = [text for path in self.choices for text in _texts(record, path, place)]
        labels = [] if self.labels is None else _texts(record, self.labels, place)
        (key,) = [text for path in self.answer for text in _texts(record, path, place)][:1]
        number = _position(key, labels)
        if number is None or not 0 <= number < len(choices):
            expected = f"one of {len(choices)} choices"
            raise RecordError(place, f"answer {key!r}", expected, "repair or remove it")
        return (choices[number],)


def read_maps(extra: Path | None = None) -> dict[str, FieldMap]:
    """Known maps by name, those of a file of one's own before the ones that ship.

    Raises:
        UsageError: the file cannot be read, or a map in it has no meaning.
    """
    shipped = files("gramdex.tools.contamination").joinpath("benchmarks.toml").read_text("utf-8")
    maps = _parse(shipped, "benchmarks.toml")
    if extra is None:
        return maps
    try:
        own = _parse(extra.read_text("utf-8"), str(extra))
    except OSError as error:
        raise UsageError(str(extra), error.strerror or str(error), "a TOML file") from error
    return own | {name: each for name, each in maps.items() if name not in own}


def choose_map(record: dict[str, Any], maps: dict[str, FieldMap], place: str) -> FieldMap:
    """The first map that fits a record.

    Raises:
        UsageError: none does; lists the fields there are.
    """
    for each in maps.values():
        if not each.columns and each.fits(record):
            return each
    raise UsageError(
        place,
        f"fields {field_names(record)}",
        "those of a known benchmark",
        "name it as in gsm8k=FILE, or describe it in a TOML file given with --fields",
    )


def field_names(record: dict[str, Any]) -> str:
    """The fields of a record, for messages."""
    names = ", ".join(map(repr, list(record)[:_SHOWN])) or "none"
    return names + (", …" if len(record) > _SHOWN else "")


def _parse(text: str, source: str) -> dict[str, FieldMap]:
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(source, str(error), "TOML") from None
    return {name: _map(name, table, source) for name, table in tables.items()}


def _map(name: str, table: Any, source: str) -> FieldMap:
    thing = f"{source}: [{name}]"
    if not isinstance(table, dict) or "question" not in table:
        raise UsageError(thing, "no question", "a table that names at least the question")
    for key in table:
        if key not in _KEYS:
            raise UsageError(thing, repr(key), f"one of {', '.join(_KEYS)}")
    question, answer, choices, columns = (
        _paths(table.get(key, []), thing, key)
        for key in ("question", "answer", "choices", "columns")
    )
    labels, id_, join = (_optional(table.get(key), thing, key) for key in ("labels", "id", "join"))
    if choices and len(answer) != 1:
        raise UsageError(thing, "choices without one answer", "the field that says which it is")
    return FieldMap(name, question, answer, choices, labels, id_, join, columns)


def _optional(value: Any, thing: str, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise UsageError(thing, f"{key} is {value!r}", "a string")
    return value


def _paths(value: Any, thing: str, key: str) -> tuple[str, ...]:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise UsageError(thing, f"{key} is {value!r}", "a string, or a list of strings")
    return tuple(paths)


def _values(record: Any, path: str) -> list[Any]:
    """What stands at a path; empty where it leads nowhere."""
    if isinstance(record, dict) and path in record:  # a name may hold a dot
        return [] if record[path] is None else [record[path]]
    found = [record]
    for step in path.split("."):
        found = [value for each in found for value in _step(each, step)]
    return [value for value in found if value is not None]


def _step(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if isinstance(value, list):
        if step == "*":
            return value
        return value[int(step) :][:1] if step.isdecimal() else []
    return []


def _texts(record: dict[str, Any], path: str, place: str) -> list[str]:
    """Texts at a path; a list there stands for its items, a number for its digits.

    Raises:
        RecordError: there is none, or something else.
    """
    found = _values(record, path)
    items = [item for each in found for item in (each if isinstance(each, list) else [each])]
    if not found:
        said = f"fields {field_names(record)}"
        raise RecordError(place, said, f"a field {path!r}", "name the fields in a TOML file")
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise RecordError(place, f"{path!r} holds a {type(item).__name__}", "texts")
        try:
            str(item).encode()
        except UnicodeEncodeError:
            found_, expected = f"a lone surrogate in {path!r}", "text that UTF-8 can encode"
            raise RecordError(place, found_, expected, "repair or remove it") from None
    return [str(item) for item in items]


def _position(key: str, labels: list[str]) -> int | None:
    """Number of the choice a key names."""
    if labels:
        return labels.index(key) if key in labels else None
    if key.isdecimal():
        return int(key)
    return ord(key.upper()) - ord("A") if len(key) == 1 and key.isalpha() else None
