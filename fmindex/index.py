"""An opened index: every query over all its shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from gramdex.fmindex.batches import Batches
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.mixed import make_engine
from gramdex.fmindex.engines.subtracted import SubtractedEngine
from gramdex.fmindex.evidence import Attribution, SearchResult
from gramdex.fmindex.format.manifest import IndexManifest, hash_manifests
from gramdex.fmindex.format.mappings import MappedFiles
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.part import IndexPart
from gramdex.fmindex.queries import probabilities
from gramdex.fmindex.queries.attribution import KEEP, SourceOptions, SpanOptions, attribute
from gramdex.fmindex.queries.cursor import Cursor
from gramdex.fmindex.queries.documents import DocumentReader
from gramdex.fmindex.queries.patterns import (
    Ids,
    PatternReader,
    Query,
    as_interval,
    as_number,
)
from gramdex.fmindex.queries.search import Shown, read_clauses, search
from gramdex.fmindex.queries.text import TextReader
from gramdex.fmindex.results import (
    Distribution,
    Document,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    Interval,
    MatchingStatistics,
    Probability,
    TextMatches,
)
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.takedown import hidden_documents, refuse_ranks
from gramdex.fmindex.tokenized import Tokenized
from gramdex.fmindex.tokenizers import Tokenizer

if TYPE_CHECKING:
    from gramdex.fmindex.queries.contamination.results import Contamination
    from gramdex.fmindex.verification import Verification

DOCUMENTS, CONTEXT = 10, 80


class Index(Batches, Tokenized):
    """A corpus that answers; made by ``gramdex.open``.

    Counts are of occurrences and exact. A query is a flat sequence of integer ids, or a string:
    ``count``, ``find`` and ``documents`` take a string as text, and count its bytes wherever they
    stand in the decoded documents; all others encode it with the index's tokenizer. Every method
    raises QueryError for ids the vocabulary lacks, or for a text where the bytes of tokens are
    not known, and CorruptIndexError where a damaged file shows. Queries may run in several
    threads at once; kernels release the GIL. ``count_batch``, ``match`` and ``infgram_scores``
    share large work among the threads the index was opened with.

    Attributes:
        folders: where the index lies, one folder for each index opened together.
        manifests: what their manifests say.
        tokenizer: the tokenizer the corpus was encoded with.
        shards: the opened shards, in order.
        takedown: the index of the documents that are taken down, or None; all answers are as
            without them, see ``fmindex/takedown.py``.
        files: the mapped files, those of the takedown too, and whether one was damaged.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        manifests: Sequence[IndexManifest],
        tokenizer: Tokenizer,
        vocabulary: Vocabulary,
        shards: Sequence[Shard],
        threads: int = 1,
        takedown: tuple[Index, str] | None = None,
    ) -> None:
        self.folders = tuple(folders)
        self.manifests = tuple(manifests)
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.shards = tuple(shards)
        self.takedown = None if takedown is None else takedown[0]
        self._copies = None if takedown is None else takedown[1]
        mapped = [*self.shards, *(self.takedown.shards if self.takedown else ())]
        files = (file for shard in mapped for file in shard.files.values())
        self.files = MappedFiles((file.path, file.mapping) for file in files)
        self.plain_engine = make_engine([shard.engine for shard in self.shards], threads)
        self._engine: Engine = self.plain_engine
        hidden: list[np.ndarray] = []
        if takedown is not None:
            self._engine = SubtractedEngine(self.plain_engine, takedown[0].plain_engine)
            hidden = hidden_documents(self, *takedown)
        self._patterns = PatternReader(vocabulary, tokenizer)
        less: TextReader | None = None if takedown is None else takedown[0]._texts
        self._texts: TextReader = TextReader(
            self.shards, self.plain_engine, vocabulary, tokenizer, hidden, less
        )
        self._documents = DocumentReader(self._texts, self._engine)
        self.files.require_whole()

    @property
    def token_count(self) -> int:
        """Tokens of the corpus, separators not counted."""
        taken = 0 if self.takedown is None else self.takedown.token_count
        return sum(shard.token_count for shard in self.shards) - taken

    @property
    def document_count(self) -> int:
        """Documents of the corpus."""
        taken = 0 if self.takedown is None else self.takedown.document_count
        return sum(shard.documents for shard in self.shards) - taken

    def require_undamaged(self) -> None:
        """Refuse what was read from files that turned out cut off meanwhile; CorruptIndexError."""
        self.files.require_whole()

    @property
    def vocabulary_size(self) -> int:
        """Ids are in [0, vocabulary_size)."""
        return self.vocabulary.size

    @cached_property
    def generation(self) -> int:
        """Names what the index holds, 64 bits: another number, another content."""
        less = () if self.takedown is None else self.takedown.manifests
        return hash_manifests([*self.manifests, *less], f"{len(self.manifests)} {self._copies}")

    @cached_property
    def part(self) -> IndexPart:
        """What this index answers as a part of a larger one."""
        return IndexPart(self)

    def count(self, query: Query) -> int:
        """Occurrences; of the empty query: all tokens."""
        if isinstance(query, str) and self._texts.takes(query):
            return self._texts.count(query)
        return self._engine.count(self._patterns.occurrences(query))

    def count_batch(self, queries: Sequence[Query] | np.ndarray) -> np.ndarray:
        """Occurrences of each query, int64[k], in one kernel call.

        The fastest forms are a 2-D integer array, one query a row, and a list of lists.
        """
        if not isinstance(queries, (str, np.ndarray)):
            queries = list(queries)
            if any(issubclass(kind, str) for kind in set(map(type, queries))):
                texts = [i for i, query in enumerate(queries) if self._texts.takes(query)]
                if texts:
                    return self._count_mixed(queries, texts)
        return self._engine.count_batch(*self._patterns.occurrences_batch(queries))

    def count_flat(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each ``ids[offsets[i]:offsets[i + 1]]``; int64 arrays, ids overwritten."""
        return self._engine.count_batch(self.vocabulary.to_ranks(ids), offsets)

    def _count_mixed(self, queries: Sequence[Query], texts: list[int]) -> np.ndarray:
        others = np.setdiff1d(np.arange(len(queries)), texts)
        patterns = self._patterns.occurrences_batch([queries[i] for i in others])
        counts = np.empty(len(queries), np.int64)
        counts[others] = self._engine.count_batch(*patterns)
        counts[texts] = self._texts.count_batch([str(queries[i]) for i in texts])
        return counts

    @overload
    def find(self, query: Ids) -> list[Interval]: ...
    @overload
    def find(self, query: str) -> TextMatches: ...
    def find(self, query: Query) -> list[Interval] | TextMatches:
        """Rank interval of ids in each shard; every occurrence of a string, located.

        The intervals take no more than a count. A string is held by different tokens at different
        places, so its occurrences are all listed, for about half a microsecond and 40 bytes each.

        Raises:
            QueryError: an empty string; ids, where the index has a takedown, whose documents are
                among the ranks.
        """
        if isinstance(query, str):
            return self._texts.find(query)
        if self.takedown is not None:
            raise refuse_ranks()
        _, found = self._engine.find(self._patterns.occurrences(query))
        return [Interval(shard, low, high) for shard, (low, high) in enumerate(found.tolist())]

    def locate(self, interval: Interval) -> np.ndarray:
        """Text positions, ascending int64, of an interval inside its shard.

        Raises:
            QueryError: the interval does not lie in a shard of this index, or that has a takedown.
        """
        if self.takedown is not None:
            raise refuse_ranks()
        return self._engine.locate(*as_interval(interval, [shard.size for shard in self.shards]))

    def prob(self, context: Query, token: int | str) -> Probability:
        """P(token | context) = c(context · token) / c(context)."""
        ranks = self._patterns.encoded(context), self._patterns.token(token)
        return probabilities.prob(self._engine, *ranks)

    def ntd(self, context: Query, limit: int | None = None) -> Distribution:
        """Exact distribution of the token after ``context``; ``limit`` keeps the most frequent."""
        limit = None if limit is None else as_number("limit", limit, 1)
        context = self._patterns.encoded(context)
        return probabilities.ntd(self._engine, self.vocabulary, context, limit)

    def infgram_prob(self, context: Query, token: int | str) -> InfgramProbability:
        """As ``prob``, with the context backed off to its longest suffix that occurs."""
        ranks = self._patterns.encoded(context), self._patterns.token(token)
        return probabilities.infgram_prob(self._engine, *ranks)

    def infgram_ntd(self, context: Query, limit: int | None = None) -> InfgramDistribution:
        """As ``ntd``, with the context backed off to its longest suffix that occurs."""
        limit = None if limit is None else as_number("limit", limit, 1)
        context = self._patterns.encoded(context)
        return probabilities.infgram_ntd(self._engine, self.vocabulary, context, limit)

    def infgram_scores(self, text: Query) -> InfgramScores:
        """``infgram_prob`` of every token of a text given all before it, in one pass."""
        return probabilities.infgram_scores(self._engine, self._patterns.encoded(text))

    def cursor(self, tokens: Query = ()) -> Cursor:
        """The end of a stream that begins with ``tokens``, to be extended step by step."""
        cursor = Cursor(self._engine, self._patterns, self.vocabulary)
        cursor.extend(tokens)
        return cursor

    def match(self, text: Query) -> MatchingStatistics:
        """Longest match that starts at each token of a text, and its occurrences."""
        return MatchingStatistics(*self._engine.matching_statistics(self._patterns.encoded(text)))

    def documents(
        self,
        query: Query,
        max_documents: int = DOCUMENTS,
        context: int | None = None,
        skip: int = 0,
    ) -> list[Document]:
        """Documents that hold the query, in corpus order.

        Args:
            query: at least one token, or one character.
            max_documents: at most so many.
            context: None for whole documents; else so many tokens before and after the first
                match in each.
            skip: leave out so many first, those of the pages before.

        Raises:
            QueryError: an empty query or a negative number.
        """
        page = as_number("skip", skip), as_number("max_documents", max_documents)
        context = None if context is None else as_number("context", context)
        if isinstance(query, str):
            return self._documents.holding(query, page, context)
        return self._documents.holding(self._patterns.occurrences(query), page, context)

    def search(
        self,
        cnf: str | Sequence[Sequence[Query] | str],
        max_documents: int = DOCUMENTS,
        window: int | None = None,
        seed: int | None = None,
        context: int | None = None,
        skip: int = 0,
    ) -> SearchResult:
        """Documents in which every clause stands; ``SearchResult`` says what is counted.

        Args:
            cnf: clauses that must all stand, each a list of phrases of which one must; a phrase is
                a string or ids. Or a query as a person types it:
                ``("natural language" OR nlp) AND "suffix array" NEAR/50``.
            max_documents: at most so many are shown.
            window: tokens between the beginnings of phrases, at most; None for anywhere in a
                document.
            seed: show a uniform sample of the documents, drawn with it; None for the first ones.
                Occurrences are drawn with it too, where not all are looked at.
            context: None for whole documents; else so many tokens before and after the first
                match in each.
            skip: leave out so many of their order, those of the pages before.

        Raises:
            QueryError: no clause, an empty phrase, a query string that is none.
        """
        seed = None if seed is None else as_number("seed", seed)
        context = None if context is None else as_number("context", context)
        most, skip = as_number("max_documents", max_documents), as_number("skip", skip)
        shown = Shown(most, skip, seed, context)
        clauses, window = read_clauses(self._documents, self._patterns, cnf, window)
        return search(self._documents, clauses, window, shown)

    def attribute(
        self,
        text: Query,
        min_length: int | None = None,
        max_count: int | None = None,
        keep: float | None = KEEP,
        words: bool | None = None,
        sentences: bool = False,
        max_documents: int = DOCUMENTS,
        context: int | None = CONTEXT,
        seed: int = 0,
    ) -> Attribution:
        """The parts of a text that stand in the corpus word for word, and documents of each.

        Args:
            text: a string is encoded with the index's tokenizer.
            min_length: tokens of a span, at least; without it 5, or 20 on an index of bytes.
            max_count: occurrences of a span, at most.
            keep: of n tokens the ceil(keep · n) spans whose tokens are least frequent are kept;
                None for all.
            words: spans begin and end between words; None for wherever the text is known.
            sentences: no span goes on after the end of a sentence or line.
            max_documents: of each span, at most so many, ranked by BM25 against the whole text;
                drawn with ``seed`` where there are more. 0 for none.
            context: tokens shown around a span; None for whole documents.
            seed: see there.

        Raises:
            QueryError: an option without meaning, ids the vocabulary lacks, or rules of words
                and sentences where the text of tokens is not known.
        """
        sources = SourceOptions(
            as_number("max_documents", max_documents),
            as_number("seed", seed),
            None if context is None else as_number("context", context),
        )
        spans = SpanOptions(min_length, max_count, keep, words, sentences)
        ids = self.vocabulary.to_ids(self._patterns.encoded(text))
        return attribute(self, ids, spans, sources)

    def document(self, number: int) -> Document:
        """Document by its number in corpus order; documents taken down keep theirs.

        Raises:
            QueryError: there is no such document, or it is taken down.
        """
        return self._documents.read(as_number("document", number))

    def metadata(self, number: int) -> dict[str, Any]:
        """Metadata of a document; errors as ``document``."""
        return self._documents.metadata(as_number("document", number))

    def document_at(self, shard: int, position: int, context: int | None = None) -> Document:
        """Document around a text position, as ``locate`` gives them, with that token as match.

        Raises:
            QueryError: there is no such position, or it is a document's end.
        """
        context = None if context is None else as_number("context", context)
        shard, position = as_number("shard", shard), as_number("position", position)
        return self._documents.read_at(shard, position, context)

    def contamination(self, examples: Iterable[Any], **options: Any) -> Contamination:
        """How much of each example, a text or a question and its answer, is in the corpus.

        By every definition in use; see ``queries.contamination.judging.contamination`` for the
        options and errors, and the command of this name for benchmarks and reports.
        """
        from gramdex.fmindex.queries.contamination.judging import contamination

        return contamination(self, examples, **options)

    def verify(self) -> Verification:
        """Check every byte, and that every suffix array is the sorted permutation it claims.

        Raises:
            CorruptIndexError: the first thing that is wrong.
        """
        from gramdex.fmindex.verification import verify_index

        if self.takedown is not None:
            verify_index(self.takedown)
        return verify_index(self)

    def __repr__(self) -> str:
        less = "" if self.takedown is None else f" less {self.takedown.document_count:,}"
        return (
            f"Index({', '.join(map(str, self.folders))}{less}: {self.document_count:,} documents, "
            f"{self.token_count:,} tokens, {len(self.shards)} shards, {self.tokenizer.kind})"
        )
