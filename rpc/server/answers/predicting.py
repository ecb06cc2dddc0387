"""What follows a context, and how a text looks to the corpus token by token."""

from __future__ import annotations

from gramdex.decoding import draft as draft_tree
from gramdex.fmindex.queries.continuations import NODES
from gramdex.rpc import v1
from gramdex.rpc.messages import results
from gramdex.rpc.messages.queries import optional, read_token
from gramdex.rpc.server.call import Answer, Call


def prob(call: Call, request: v1.ProbRequest) -> v1.ProbResponse:
    """P(token | context)."""
    context = call.query("context", request.context)
    return results.write_probability(call.index.prob(context, read_token("token", request.token)))


def ntd(call: Call, request: v1.NtdRequest) -> v1.NtdResponse:
    """The distribution of the next token."""
    context = call.query("context", request.context)
    return results.write_distribution(call.index.ntd(context, optional(request, "limit")))


def infgram_prob(call: Call, request: v1.InfgramProbRequest) -> v1.InfgramProbResponse:
    """P(token | longest suffix of the context)."""
    context = call.query("context", request.context)
    found = call.index.infgram_prob(context, read_token("token", request.token))
    return results.write_infgram_probability(found)


def infgram_ntd(call: Call, request: v1.InfgramNtdRequest) -> v1.InfgramNtdResponse:
    """The distribution after the longest suffix of the context."""
    context = call.query("context", request.context)
    found = call.index.infgram_ntd(context, optional(request, "limit"))
    return results.write_infgram_distribution(found)


def infgram_scores(call: Call, request: v1.InfgramScoresRequest) -> v1.InfgramScoresResponse:
    """∞-gram probabilities along a text."""
    text = call.query("text", request.text, "text")
    return results.write_scores(call.index.infgram_scores(text))


def match(call: Call, request: v1.MatchRequest) -> v1.MatchResponse:
    """Longest matches along a text."""
    return results.write_matching(call.index.match(call.query("text", request.text, "text")))


def draft(call: Call, request: v1.DraftRequest) -> v1.DraftResponse:
    """A tree of tokens that may follow a context."""
    nodes = optional(request, "max_nodes", NODES)
    call.limits.check("nodes", "max_nodes", nodes)
    context = call.query("context", request.context)
    depth = optional(request, "max_depth")
    tree = draft_tree(call.index, context, nodes, depth, request.min_score)
    return results.write_draft(tree)


ANSWERS: dict[str, Answer] = {
    "Prob": prob,
    "Ntd": ntd,
    "InfgramProb": infgram_prob,
    "InfgramNtd": infgram_ntd,
    "InfgramScores": infgram_scores,
    "Match": match,
    "Draft": draft,
}
