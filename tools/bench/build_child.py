"""One build in a process of its own, told what to build as JSON, that says what it took."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from gramdex.indexer.build import build
from gramdex.indexer.readers import ReadOptions
from gramdex.tools.bench.timing import peak_memory


def run(arguments: dict[str, Any]) -> dict[str, float]:
    """Build; seconds from call to return, imports left out, and most bytes resident."""
    wall, cpu = time.perf_counter(), time.process_time()
    report = build(
        arguments["input"],
        arguments["output"],
        arguments["tokenizer"],
        read=ReadOptions(**arguments["read"]),
        shard_tokens=arguments["shard_tokens"],
        vocabulary_size=arguments["vocabulary_size"],
        workers=1,
        on_empty="keep",
    )
    return {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_rss_bytes": peak_memory(),
        "planned_bytes": report.memory,
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
