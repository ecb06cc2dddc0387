"""Making the table of continuations (its layout is in ``kernels/suffix_array/continuations.py``).

Every token with enough occurrences is a node if its runs are few against them: the more a context
is worth a table, the smaller the table is against the interval. Runs that are themselves long are
contexts of two tokens and more, and so on downwards, shortest first. A context that always goes
on with the same token is no node; it is followed to where its first and last suffix part, at most
LENGTH tokens from its start, so the queue does not fill with the tokens of copies.

How large it gets: a node holds at most 1 in SHARE of its occurrences, so nodes of one token hold at
most size / SHARE runs. Nodes are branching nodes of the suffix tree, whose runs number less than
twice its leaves; what is above the arrays given is left out, and so are contexts that find no
place in the queue. Time is O(size) for one token, and for each longer context of the queue LENGTH
steps and what its runs cost; the queue has at most O(size / CONTEXTS) places.
"""

from __future__ import annotations

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR
from gramdex.kernels.suffix_array.columns import BUCKET_COUNT, bucket_bounds, token_after
from gramdex.kernels.suffix_array.runs import following_run, prefetch_runs

# Limits: occurrences a token, and a longer context, must have; runs the longer context must have;
# occurrences there must be for each run; tokens a context may have.
TOKENS, CONTEXTS, RUNS, SHARE, LENGTH = range(5)


@kernel
def fill_node(shard, low, high, depth, limits, run_tokens, run_starts, entry, queue, queued):
    """Write the runs of [low, high) from ``entry`` on, and queue those that are long.

    Returns the entry after the node, which is ``entry`` if it does not become one, and how many
    contexts are queued. Shapes as in ``token_continuations``.
    """
    most = min((high - low) // limits[SHARE], run_starts.size - 1 - entry)
    runs = 0
    prefetch_runs(shard, low, high, depth)
    while low < high:
        token = token_after(shard, low, depth)
        end = following_run(shard, low, high, depth, token)
        if runs < most:
            run_tokens[entry + runs] = token
            run_starts[entry + runs] = low
        runs += 1
        if end - low >= limits[CONTEXTS] and token != SEPARATOR and queued < queue.shape[0]:
            queue[queued, 0], queue[queued, 1], queue[queued, 2] = low, end, depth + 1
            queued += 1
        low = end
    if runs > most or (depth > 1 and runs < limits[RUNS]):
        return entry, queued
    run_tokens[entry + runs] = SEPARATOR
    run_starts[entry + runs] = high
    return entry + runs + 1, queued


@kernel
def token_continuations(shard, limits, run_tokens, run_starts, token_nodes, queue):
    """Nodes of one token; (entries filled, contexts queued).

    Shapes: limits int64[5]; run_tokens unsigned[r] and run_starts uint32[r], filled from the
    front; token_nodes uint32[BUCKET_COUNT + 1], filled; queue int64[q, 3], filled from the front
    with the contexts of two tokens that occur ``limits[CONTEXTS]`` times: low, high, depth.
    """
    entry, queued = 0, 0
    for token in range(shard[BUCKET_COUNT]):
        token_nodes[token] = entry
        low, high = bucket_bounds(shard, token)
        if token != SEPARATOR and high - low >= limits[TOKENS]:
            entry, queued = fill_node(
                shard, low, high, 1, limits, run_tokens, run_starts, entry, queue, queued
            )
    token_nodes[shard[BUCKET_COUNT]] = entry
    return entry, queued


@kernel
def branching_depth(shard, low, high, depth, most):
    """Where the suffixes [low, high), which agree on ``depth`` tokens, part or end a document.

    More than ``most`` if they agree on so many.
    """
    token = token_after(shard, low, depth)
    while depth <= most and token != SEPARATOR and token_after(shard, high - 1, depth) == token:
        depth += 1
        token = token_after(shard, low, depth)
    return depth


@kernel
def long_continuations(shard, limits, run_tokens, run_starts, entry, queue, queued, nodes):
    """Nodes of two tokens and more, from the queue; (entries filled, nodes).

    Shapes as above; nodes uint32[q, 4], filled from the front in the order of the queue. ``entry``
    and ``queued`` are what ``token_continuations`` returned.
    """
    count, taken = 0, 0
    while taken < queued:
        low, high, depth = queue[taken, 0], queue[taken, 1], queue[taken, 2]
        taken += 1
        depth = branching_depth(shard, low, high, depth, limits[LENGTH])
        if depth > limits[LENGTH]:
            continue
        end, queued = fill_node(
            shard, low, high, depth, limits, run_tokens, run_starts, entry, queue, queued
        )
        if end == entry:
            continue
        nodes[count, 0], nodes[count, 1] = low, depth
        nodes[count, 2], nodes[count, 3] = entry, end - 1
        count += 1
        entry = end
    return entry, count
