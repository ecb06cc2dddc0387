"""Every engine there is. A further peer is one more class and one more line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gramdex.errors import UsageError
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.divsufsort import Divsufsort
from gramdex.tools.bench.peers.infini_gram import InfiniGram
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.ours import Gramdex
from gramdex.tools.bench.peers.sdsl import Sdsl
from gramdex.tools.bench.peers.sdsl_bytes import SdslBytes

GRAMDEX: Engine = Gramdex()
PEERS: list[Engine] = [InfiniGram(), Divsufsort(), Sdsl()]
BYTES = SdslBytes()
"""The one peer of `gramdex bench compressed`, which takes part in nothing else."""


def find_engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: there is none.
    """
    for engine in (GRAMDEX, *PEERS, BYTES):
        if engine.name == name:
            return engine
    raise UsageError("--peers", name, ", ".join(peer.name for peer in PEERS))


def choose_peers(names: str | None) -> list[Engine]:
    """Peers by their names, separated by commas; None for all that are installed.

    Raises:
        UsageError: one is unknown, or named and cannot take part here.
    """
    if names is None:
        return [peer for peer in PEERS if not peer.missing()]
    chosen = [find_engine(name.strip()) for name in names.split(",") if name.strip()]
    for peer in chosen:
        if peer is GRAMDEX:
            raise UsageError("--peers", peer.name, ", ".join(each.name for each in PEERS))
        if missing := peer.missing():
            raise UsageError(f"--peers {peer.name}", missing, "an installed peer")
    return chosen


def taking_part(peers: Sequence[Engine], work: str, corpus: Corpus) -> list[Engine]:
    """Those that do this work on this corpus."""
    return [peer for peer in peers if not peer.refuses(work, corpus)]


def describe_peers(peers: Sequence[Engine], work: str, corpus: Corpus) -> list[dict[str, Any]]:
    """Every peer there is: its version, and why it takes no part, or "" where it does."""
    return [
        {
            "name": peer.name,
            "version": peer.version(),
            "left_out": peer.refuses(work, corpus) or ("" if peer in peers else "not asked for"),
        }
        for peer in PEERS
    ]
