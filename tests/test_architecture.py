"""What the architecture promises, read from the sources themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("kernels", "fmindex", "indexer", "decoding", "rpc", "tools")
MAY_IMPORT = {
    "kernels": {"kernels"},
    "fmindex": {"fmindex", "kernels", "errors"},
    "indexer": {"indexer", "fmindex", "kernels", "errors"},
    "decoding": {"decoding", "fmindex", "kernels", "errors"},
    "rpc": {"rpc", "decoding", "fmindex", "kernels", "errors", ""},
    "tools": {"tools", "rpc", "decoding", "indexer", "fmindex", "kernels", "errors", ""},
}
KERNEL_LIBRARIES = {"numpy", "numba", "llvmlite", "gramdex"}
STANDARD_FOR_KERNELS = {
    "__future__", "collections", "ctypes", "hashlib", "os", "pathlib", "tempfile", "typing",
}  # fmt: skip
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
KERNELS = sorted((ROOT / "kernels").rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Every module an import statement names, at any depth of the file."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def folder_of(module: str) -> str | None:
    """Folder of a Gramdex module; "" for the package itself, None for other packages."""
    parts = module.split(".")
    if parts[0] != "gramdex":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in (*FOLDERS, "errors") else ""


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 40
    assert len(KERNELS) > 8
    assert {path.parent.name for path in SOURCES} >= {"kernels", "queries", "format", "readers"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    tree = ast.parse(path.read_text())
    found = {folder_of(name) for name in imported(tree)} - {None}
    assert found <= MAY_IMPORT[folder]


@pytest.mark.parametrize("path", KERNELS, ids=lambda p: p.name)
def test_kernels_import_only_what_computes(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
    assert packages <= KERNEL_LIBRARIES | STANDARD_FOR_KERNELS


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_numba_is_used_through_one_decorator(path: Path) -> None:
    """No bare njit; every function of a kernel file that is compiled says so with @kernel."""
    tree = ast.parse(path.read_text())
    names = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    names |= imported(tree)
    if path.relative_to(ROOT).as_posix() != "kernels/jit.py":
        decorators = {"njit", "jit", "cfunc", "vectorize", "guvectorize", "stencil"}
        assert not names & {f"numba.{name}" for name in decorators}
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            if isinstance(decorator, ast.Name) and decorator.id == "kernel":
                assert path.relative_to(ROOT).parts[0] == "kernels"
                assert ast.get_docstring(node), node.name


@pytest.mark.parametrize("path", KERNELS, ids=lambda p: p.name)
def test_kernel_files_hold_kernels(path: Path) -> None:
    """No classes but errors, no I/O, no logging: functions on arrays."""
    if path.name == "jit.py":
        return
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert [base.id for base in node.bases] == ["Exception"]
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")}
    assert not calls & {"open", "print"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    """Files under 400 lines, bodies under 30 (kernels 60), ten parameters at most."""
    text = path.read_text()
    assert len(text.splitlines()) < 400
    longest = 60 if path.relative_to(ROOT).parts[0] == "kernels" else 30
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= longest, node.name
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            command = path.parent.name in ("commands", "bench")
            assert command or len(arguments) <= 10, node.name


def test_no_pickle_anywhere() -> None:
    for path in SOURCES:
        names = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
        assert not names & {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
        assert "allow_pickle=True" not in path.read_text()


def test_errors_are_drawn_as_they_are() -> None:
    """The tree in the docstring is the tree of the classes, with their exit codes."""
    from gramdex import errors

    drawn = re.findall(r"([A-Za-z]+Error) +(\d)?", errors.__doc__ or "")
    codes = {name: int(code) for name, code in drawn if code}
    classes = {name: getattr(errors, name) for name in errors.__all__}
    assert set(codes) == set(classes) - {"GramdexError"}
    assert {name: cls.exit_code for name, cls in classes.items() if name in codes} == codes
    lines = (errors.__doc__ or "").splitlines()
    parents: list[str] = []
    for line in lines:
        if found := re.search(r"([A-Za-z]+Error)", line):
            depth = line.index(found.group()) // 4 - 1
            if "──" in line or found.group() == "GramdexError":
                parents = [*parents[:depth], found.group()]
                if depth:
                    assert issubclass(classes[found.group()], classes[parents[depth - 1]])
