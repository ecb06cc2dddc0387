"""The page and its files, with the tags by which a browser knows that it has them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent
_KINDS = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "page_asking.js": "text/javascript; charset=utf-8",
    "page_elements.js": "text/javascript; charset=utf-8",
}


class PageFile:
    """A file of the page.

    Attributes:
        kind: its content-type.
        content: its bytes.
        headers: that go with it.
    """

    def __init__(self, name: str) -> None:
        self.kind = _KINDS[name]
        self.content = (_FOLDER / name).read_bytes()
        tag = hashlib.sha256(self.content).hexdigest()[:32]
        self.headers = {"etag": f'"{tag}"', "cache-control": "no-cache"}

    def is_known(self, tags: str) -> bool:
        """Whether a browser that sends these tags has it already."""
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return bool(known & {"*", self.headers["etag"]})


def page_files() -> dict[str, PageFile]:
    """Every file by the path it is served under."""
    return {f"/{'' if name == 'page.html' else name}": PageFile(name) for name in _KINDS}
