"""Members that go down or change while they are asked, and what is taken down behind a router."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from building import build_ids
from corpora import corpora, patterns
from hypothesis import given, settings
from hypothesis import strategies as st
from routing import SETTINGS, Member, assert_alike, assert_same, names_of, routed

import gramdex
from gramdex.decoding import draft
from gramdex.errors import QueryError, ServiceError, TokenizerError, UnavailableError
from gramdex.fmindex.engines.stopping import stoppable
from gramdex.rpc.router import Coverage, Partial, RoutedIndex, partial_answers

PARTS = [
    [[1, 2, 3, 4, 5, 1, 2], [1, 2, 3, 6]],
    [[2, 3, 4, 1, 2, 3], [], [7, 8]],
    [[1, 2, 3, 4, 6], [3, 4, 5, 6]],
]
SIZE = 10
TEXT = [1, 2, 3, 4, 5, 6, 7]
QUERIES: list[tuple[str, tuple, dict]] = [
    ("count", ([1, 2],), {}),
    ("count_batch", ([[1], [2, 3], []],), {}),
    ("find", ([1, 2],), {}),
    ("prob", ([1], 2), {}),
    ("ntd", ([3],), {"limit": 1}),
    ("infgram_prob", ([9, 3, 4], 5), {}),
    ("infgram_prob", ([9, 3, 4], 9), {}),
    ("infgram_ntd", ([9, 3],), {"limit": 1}),
    ("infgram_scores", (TEXT,), {}),
    ("match", (TEXT,), {}),
    ("documents", ([2, 3],), {"max_documents": 2, "skip": 1}),
    ("search", ([[[1]], [[3]]],), {"window": 4, "seed": 3, "max_documents": 2}),
    ("attribute", (TEXT,), {"min_length": 2, "keep": None}),
    ("document", (3,), {}),
    ("metadata", (6,), {}),
    ("document_at", (1, 2), {}),
    ("infgram_prob_batch", ([[9, 3, 4], [1]], [5, 2]), {}),
    ("infgram_ntd_batch", ([[9, 3], [1]],), {"limit": 1}),
    ("match_batch", ([TEXT, [1, 2]],), {}),
    ("draft", ([9, 2, 3],), {"max_nodes": 3}),
]
IDS = [f"{name}{i}" for i, (name, *_) in enumerate(QUERIES)]
ONE_OWNER = ("document", "metadata", "document_at")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("members")
    found = []
    for i, part in enumerate([*PARTS, [[1, 2, 3], [5, 5], [1, 2, 2, 3, 4]]]):
        (folder / str(i)).mkdir()
        found.append(build_ids(folder / str(i), part, SIZE, engine=("sa", "fm")[i % 2]))
    return found


def nothing(member: Member, number: int) -> None:
    """A member that is well."""


def fails_at(call: int) -> Callable[[Member, int], None]:
    def before(member: Member, number: int) -> None:
        member.down = number >= call

    return before


def members_of(paths: Sequence[Path], before: Callable = nothing, which: int = 1) -> list[Member]:
    return [
        Member(gramdex.open(path), before if i == which else nothing)
        for i, path in enumerate(paths[:3])
    ]


def ask(index: Any, query: tuple) -> Any:
    name, arguments, options = query
    if name == "draft" and isinstance(index, gramdex.Index):
        return draft(index, *arguments, **options)
    return getattr(index, name)(*arguments, **options)


def attempt(index: Any, query: tuple) -> Any:
    """What a query answers, or that a member cannot be reached."""
    try:
        return ask(index, query)
    except UnavailableError as error:
        return error


@pytest.mark.parametrize("query", QUERIES, ids=IDS)
def test_rounds_of_a_query(paths: list[Path], query: tuple) -> None:
    """One call a member and round, and no more rounds than the query needs."""
    members = members_of(paths)
    ask(routed(members), query)
    most = {"search": 4, "attribute": 6, "infgram_ntd_batch": 3, "draft": 6}.get(query[0], 2)
    if query[0] in ONE_OWNER:
        assert sorted(len(member.calls) for member in members) == [0, 0, 1]
    else:
        assert all(1 <= len(member.calls) <= most for member in members)


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("query", QUERIES, ids=IDS)
def test_a_member_that_goes_down_is_an_error(paths: list[Path], query: tuple, call: int) -> None:
    members = members_of(paths, fails_at(call))
    index, expected = routed(members), ask(gramdex.open(paths[:3]), query)
    found = attempt(index, query)
    if members[1].down:
        assert isinstance(found, UnavailableError)
        assert isinstance(found, ServiceError)
        assert (found.thing, found.exit_code) == ("member m1", 1)
        assert "it does not answer" in found.found
    else:
        assert_same(found, expected)


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("query", QUERIES, ids=IDS)
def test_with_leave_the_others_answer(
    paths: list[Path], query: tuple, which: int, call: int
) -> None:
    members = members_of(paths, fails_at(call), which)
    index = routed(members)
    found = attempt(index.partial(), query)
    if isinstance(found, UnavailableError):
        assert query[0] in ONE_OWNER
        assert found.thing == f"member m{which}"
        return
    assert isinstance(found, Partial)
    assert found.coverage.complete == (not members[which].down)
    tokens = [member.index.token_count for member in members]
    if members[which].down:
        assert found.coverage == Coverage(sum(tokens) - tokens[which], sum(tokens), (f"m{which}",))
        assert found.coverage.share == pytest.approx(1 - tokens[which] / sum(tokens))
        assert f"without m{which}" in repr(found)
    else:
        assert found.coverage == Coverage(sum(tokens), sum(tokens))
    rest = [i for i in range(3) if i != which or not members[which].down]
    others = routed([gramdex.open(paths[i]) for i in rest])
    if query[0] not in (*ONE_OWNER, "find", "documents", "search", "attribute"):
        assert_same(found.answer, ask(others, query))
    elif query[0] in ("documents", "search"):
        expected = ask(others, query)
        shown, wanted = (getattr(r, "documents", r) for r in (found.answer, expected))
        first = [index.everyone[i].first_document for i in rest]
        before = [others.everyone[i].first_document for i in range(len(rest))]
        owners = [max(i for i, b in enumerate(before) if d.number >= b) for d in wanted]
        numbers = [d.number - before[i] + first[i] for d, i in zip(wanted, owners, strict=True)]
        assert [d.number for d in shown] == numbers
        for one, other in zip(shown, wanted, strict=True):
            assert_same((one.ids, one.matches, one.text), (other.ids, other.matches, other.text))


def test_numbers_stay_while_a_member_is_down(paths: list[Path]) -> None:
    members = members_of(paths)
    index, whole = routed(members), gramdex.open(paths[:3])
    members[1].down = True
    assert (index.token_count, index.document_count) == (whole.token_count, whole.document_count)
    found = index.partial().documents([3], 20)
    expected = [d for d in whole.documents([3], 20) if d.number not in (2, 3, 4)]
    assert_same(found.answer, expected)
    assert index.partial().document(5).answer.number == 5
    with pytest.raises(UnavailableError, match="member m1"):
        index.partial().document(2)
    with pytest.raises(QueryError):
        index.partial().document(7)
    spans = index.partial().attribute(TEXT, min_length=2, keep=None).answer.spans
    shown = {s.document.number for span in spans for s in span.sources}
    assert shown
    assert not shown & {2, 3, 4}
    assert index.partial().tokenizer is index.tokenizer
    members[1].down = False
    assert index.partial().count([3]) == Partial(
        whole.count([3]), Coverage(whole.token_count, whole.token_count)
    )


def test_all_members_down(paths: list[Path]) -> None:
    members = members_of(paths)
    index = routed(members)
    for member in members:
        member.down = True
    for asked in (index, index.partial()):
        with pytest.raises(UnavailableError, match="members m0, m1, m2"):
            asked.count([1])
    with pytest.raises(UnavailableError):
        RoutedIndex(members, names_of(members))


def test_leave_is_of_the_block(paths: list[Path]) -> None:
    members = members_of(paths)
    index = routed(members)
    with partial_answers() as coverage:
        assert coverage.complete
        index.count([1])
        assert (coverage.complete, coverage.share) == (True, 1.0)
        members[2].down = True
        index.count([1])
        members[2].down = False
        index.count([1])
        assert (coverage.complete, coverage.missing) == (False, ("m2",))
        assert coverage.share == pytest.approx(1 - members[2].token_count / index.token_count)
        with partial_answers() as inner:
            index.count([1])
        assert inner.complete
    members[2].down = True
    with pytest.raises(UnavailableError):
        index.count([1])


def test_a_stopped_query_takes_no_further_round(paths: list[Path]) -> None:
    members, stopped = members_of(paths), []

    class Stopped(Exception):
        pass

    def check() -> None:
        if all(member.calls for member in members):
            stopped.append(1)
            raise Stopped

    index = routed(members)
    with stoppable(check), pytest.raises(Stopped):
        index.documents([1], 2)
    assert stopped
    assert [member.calls for member in members] == [["documents_found"]] * 3
    assert index.count([1]) == gramdex.open(paths[:3]).count([1])


def test_bad_input_is_refused_before_a_member_is_missed(paths: list[Path]) -> None:
    members = members_of(paths)
    index = routed(members)
    members[0].down = True
    with pytest.raises(QueryError):
        index.count([SIZE])


def changes_at(call: int, other: gramdex.Index) -> Callable[[Member, int], None]:
    def before(member: Member, number: int) -> None:
        if number == call:
            member.index = other

    return before


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("query", QUERIES, ids=IDS)
def test_a_member_that_changes_is_asked_again(paths: list[Path], query: tuple, call: int) -> None:
    members = members_of(paths, changes_at(call, gramdex.open(paths[3])))
    before, after = gramdex.open(paths[:3]), gramdex.open([paths[0], paths[3], paths[2]])
    index = routed(members)
    generation = index.generation
    found = ask(index, query)
    asked = members[1].index.generation == after.generation or len(members[1].calls) >= call
    assert_same(found, ask(after if asked else before, query))
    if asked:
        assert index.generation != generation
        assert index.token_count == after.token_count != before.token_count


def test_changes_are_seen_by_refusals_too(paths: list[Path]) -> None:
    members = members_of(paths)
    index = routed(members)
    assert index.document_count == 7
    members[2].index = gramdex.open([paths[2], paths[3]])
    for whole in (gramdex.open([*paths[:3], paths[3]]),):
        assert_alike(index, whole, "document", 9)
        assert_alike(index, whole, "document", 10)
    members[2].index = gramdex.open(paths[2])
    index.refresh()
    assert index.document_count == 7


def test_a_member_that_never_stays(paths: list[Path]) -> None:
    both = [gramdex.open(paths[1]), gramdex.open(paths[3])]

    def before(member: Member, number: int) -> None:
        member.index = both[number % 2]

    for partial in (False, True):
        index = routed(members_of(paths, before))
        asked = index.partial() if partial else index
        with pytest.raises(UnavailableError, match="keeps changing"):
            asked.count([1])


def test_a_member_of_another_tokenizer(paths: list[Path], tmp_path: Path) -> None:
    members = members_of(paths)
    index = routed(members)
    members[1].index = gramdex.open(build_ids(tmp_path, [[1, 2]], SIZE + 1))
    with pytest.raises(TokenizerError):
        index.count([1])


def test_generations_name_contents(paths: list[Path], tmp_path: Path) -> None:
    one = gramdex.open(paths[0])
    assert one.generation == gramdex.open(paths[0]).generation
    assert 0 <= one.generation < 1 << 64
    shutil.copytree(paths[0], tmp_path / "copy")
    assert gramdex.open(tmp_path / "copy").generation == one.generation
    others = [
        gramdex.open(paths[1]),
        gramdex.open(paths[:2]),
        gramdex.open(paths[1::-1]),
        gramdex.open(paths[0], takedown=paths[0]),
        gramdex.open(paths[0], takedown=paths[0], copies="listed"),
    ]
    assert len({index.generation for index in (one, *others)}) == 6


@settings(max_examples=15, **SETTINGS)
@given(data=st.data())
def test_any_documents_taken_down(data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    documents = list(map(list, dict.fromkeys(map(tuple, documents))))  # each in one member only
    cut = data.draw(st.integers(0, len(documents)))
    queries = data.draw(st.lists(patterns(documents, size), max_size=4))
    which = data.draw(st.sets(st.integers(0, max(len(documents) - 1, 0))))
    with tempfile.TemporaryDirectory() as folder:
        corpus, taken = [], []
        for i, (a, b) in enumerate(((0, cut), (cut, len(documents)))):
            for name, some in (
                (f"corpus{i}", documents[a:b]),
                (f"taken{i}", [documents[j] for j in sorted(which) if a <= j < b]),
            ):
                (Path(folder) / name).mkdir()
                path = build_ids(Path(folder) / name, some, size, engine=("sa", "fm")[i])
                (corpus if name.startswith("corpus") else taken).append(path)
        whole = gramdex.open(corpus, takedown=taken)
        members = [gramdex.open(c, takedown=t) for c, t in zip(corpus, taken, strict=True)]
        with routed(members) as index:
            compare_taken_down(index, whole, queries)


def compare_taken_down(index: RoutedIndex, whole: gramdex.Index, queries: Sequence) -> None:
    for query in [[], *queries]:
        for name in ("count", "find", "match", "infgram_scores", "documents", "ntd"):
            assert_alike(index, whole, name, query)
        for limit in (None, 1):
            assert_alike(index, whole, "infgram_ntd", query, limit)
        assert_alike(index, whole, "documents", query, 1, None, 1)
        assert_alike(index, whole, "infgram_prob", query[:-1], (query or [0])[-1])
        for seed in (None, 3):
            cnf = [[query[:2]], [query[1:2] or [0]]]
            assert_alike(index, whole, "search", cnf, 1, None, seed)
        assert_alike(index, whole, "attribute", query, min_length=1, keep=None)
    for number in range(sum(shard.documents for shard in whole.shards) + 1):
        assert_alike(index, whole, "document", number)
        assert_alike(index, whole, "metadata", number)
    for shard, held in enumerate(whole.shards):
        for position in range(held.size):
            assert_alike(index, whole, "document_at", shard, position)
        assert_alike(index, whole, "locate", gramdex.fmindex.results.Interval(shard, 0, 0))
