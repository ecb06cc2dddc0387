"""How does generation use an index? Drafts of tokens that a model may accept."""

from gramdex.decoding.corpus_source import draft
from gramdex.decoding.draft_tree import DraftTree

__all__ = ["DraftTree", "draft"]
