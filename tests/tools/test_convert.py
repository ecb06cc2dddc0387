"""``gramdex convert``, and the sizes ``gramdex info`` shows."""

from __future__ import annotations

from pathlib import Path

from commanding import Command

import gramdex


def test_convert_and_the_tree_of_sizes(command: Command, numbers: Path, tmp_path: Path) -> None:
    sa = numbers
    done = command("convert", sa, "-o", tmp_path / "fm", "--engine", "fm", "--json")
    assert done.json["engine"] == "fm"
    assert done.json["shards"] == 1
    told = command("info", tmp_path / "fm", "--json").json
    assert told["engine"] == "fm"
    sections = told["bytes_by_section"]["successors"]
    assert sum(sections.values()) == told["bytes_by_file"]["successors"]
    assert command("info", tmp_path / "fm").code == 0
    assert command("verify", tmp_path / "fm").code == 0
    both = gramdex.open([sa, tmp_path / "fm"])
    assert both.count([1]) == 2 * gramdex.open(sa).count([1]) == 6
    assert both.count_batch([[1], [1, 2]]).tolist() == [6, 6]
