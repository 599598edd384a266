"""The house rules, checked on the tree itself; each rule has a companion test that shows it catching a violation."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pixread

PACKAGE = Path(pixread.__file__).parent
TESTS = Path(__file__).parent

# A file imports only from lower levels; the rooms of one level do not see each other (docs/architecture.md).
LEVELS = {
    room: level
    for level, rooms in enumerate(
        (
            "records",
            "arrays markup settings png filenames memory",
            "textfiles files visual_lines",
            "images tokenizers metrics nn render tasks shards",
            "layout recognition targets models",
            "assembly cpu generate checkpoints",
            "reader",
            "evaluate factory inspect prepare",
            "train",
            "bench",
            "cli",
            "__main__ __init__",
        )
    )
    for room in rooms.split()
}
# What every file of a registry defines: a data set's reader, a target's maker.
REGISTERED = {"tasks": {"TASK", "examples"}, "targets": {"examples"}}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 80
MAY_PRINT = ("cli",)
HEAVY = ("torch", "datasets", "pyarrow", "playwright", "rapidfuzz", "transformers", "PIL", "numpy")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def room_of(path: Path, package: Path) -> str:
    """The room a file belongs to: the folder or file right below the package."""
    return path.relative_to(package).with_suffix("").parts[0]


def imported_modules(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name (without the package's own) of all imports of the package, those in functions included."""
    name = package.name
    home = [name, *path.relative_to(package).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found = [f"{origin}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        for dotted in found:
            if dotted.startswith(f"{name}."):
                yield getattr(node, "lineno", 0), dotted.removeprefix(f"{name}.")


def level_violations(package: Path) -> list[str]:
    violations = []
    rooms = {room_of(path, package) for path in python_files(package)}
    if package == PACKAGE:
        violations += [f"'{room}' has a level and is no room" for room in LEVELS if room not in rooms]
    for path in python_files(package):
        room = room_of(path, package)
        if room not in LEVELS:
            violations.append(f"{path.relative_to(package)}: '{room}' has no level; give it one in LEVELS")
            continue
        for line, dotted in imported_modules(path, package):
            target = dotted.split(".")[0]
            if target in {room, "__version__"}:
                continue
            # A name that is no file of the package comes from its front door, which may use every room.
            if LEVELS.get(target, LEVELS["__init__"]) >= LEVELS[room]:
                violations.append(f"{path.relative_to(package)}:{line}: {room} imports {dotted}, which is not below it")
    return violations


def module_of(dotted: str, package: Path) -> Path | None:
    """The file of the package that an import's dotted name comes from."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        path = package.joinpath(*parts[:count])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def circle_violations(package: Path) -> list[str]:
    """Files of one room that import each other in a circle; imports for types alone and late ones count, too.

    A package's `__init__` is a front door: importing a neighbour makes Python run it, which is no circle of files.
    """
    graph = {
        path: {
            file
            for _, dotted in imported_modules(path, package)
            if (file := module_of(dotted, package)) not in (None, path)
            and room_of(file, package) == room_of(path, package)
        }
        for path in python_files(package)
    }
    circles = {frozenset(circle) for path in graph if len(circle := _circle_through(path, graph)) > 1}
    return sorted(" <-> ".join(sorted(str(path.relative_to(package)) for path in circle)) for circle in circles)


def _circle_through(path: Path, graph: dict[Path, set[Path]]) -> set[Path]:
    """The files that this one reaches and that reach it."""
    back = {file: {other for other, targets in graph.items() if file in targets} for file in graph}
    return _reached(path, graph) & _reached(path, back)


def _reached(start: Path, graph: dict[Path, set[Path]]) -> set[Path]:
    seen, waiting = {start}, [start]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def twin_violations(package: Path) -> dict[str, list[str]]:
    """For each room the public classes, functions and constants of one name that two of its files define.

    Left out is what the files of a room define alike because all of them are entries of one registry.
    """
    homes: dict[tuple[str, str], int] = {}
    for path in python_files(package):
        room = room_of(path, package)
        for name in public_names(ast.parse(path.read_text(encoding="utf-8"))) - REGISTERED.get(room, set()):
            homes[room, name] = homes.get((room, name), 0) + 1
    twins: dict[str, list[str]] = {}
    for (room, name), count in sorted(homes.items()):
        if count > 1:
            twins.setdefault(room, []).append(name)
    return twins


def public_names(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {leaf.id for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def size_violations(root: Path) -> list[str]:
    violations = []
    for path in sorted([*python_files(root), *root.rglob("*.js")]):
        num_lines = len(path.read_text(encoding="utf-8").splitlines())
        if num_lines > MAX_FILE_LINES:
            violations.append(f"{path.relative_to(root)}: {num_lines} lines, {MAX_FILE_LINES} allowed")
    for path in python_files(root):
        for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
            num_lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if num_lines > MAX_FUNCTION_LINES:
                violations.append(
                    f"{path.relative_to(root)}:{function.lineno}: {function.name} has {num_lines} lines, "
                    f"{MAX_FUNCTION_LINES} allowed"
                )
    return violations


def print_violations(package: Path) -> list[str]:
    return [
        f"{path.relative_to(package)}:{node.lineno}: print outside {' and '.join(MAY_PRINT)}"
        for path in python_files(package)
        if room_of(path, package) not in MAY_PRINT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def name_violations(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}: the thing wants a name"
        for path in python_files(root)
        if path.stem in {"utils", "util", "helpers", "misc", "common"} or {"utils", "util"} & set(path.parent.parts)
    ]


def annotation_violations(package: Path) -> list[str]:
    violations = []
    for path in python_files(package):
        for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            bare = [arg.arg for arg in arguments if arg.annotation is None and arg.arg not in {"self", "cls"}]
            bare += ["return"] if function.returns is None else []
            if bare:
                violations.append(
                    f"{path.relative_to(package)}:{function.lineno}: {function.name} lacks annotations for {bare}"
                )
    return violations


def swallowing_violations(package: Path) -> list[str]:
    """`except:` without a type, and any handler that does nothing but pass or continue on Exception."""
    violations = []
    for path in python_files(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            silent = all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
            if node.type is None or (broad and silent):
                violations.append(f"{path.relative_to(package)}:{node.lineno}: an exception vanishes here")
    return violations


@pytest.mark.parametrize(
    "check",
    [
        level_violations,
        size_violations,
        print_violations,
        name_violations,
        annotation_violations,
        swallowing_violations,
    ],
)
def test_package_keeps_the_rule(check: Callable[[Path], list[str]]):
    assert check(PACKAGE) == []


def test_no_files_of_a_room_import_each_other_in_a_circle():
    assert circle_violations(PACKAGE) == []


def test_no_room_defines_a_public_name_twice():
    assert twin_violations(PACKAGE) == {}


@pytest.mark.parametrize("check", [size_violations, name_violations])
def test_tests_keep_the_rule(check: Callable[[Path], list[str]]):
    assert check(TESTS) == []


def test_commands_start_without_heavy_imports():
    """`pixread --help` must answer at once, so what takes seconds to import waits until a command needs it."""
    code = f"import sys, pixread, pixread.cli; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert found == []


def house(root: Path, **files: str) -> Path:
    """A package named pixread with the given files; `__` in a name stands for a slash."""
    package = root / "pixread"
    for name, text in files.items():
        path = package / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


@pytest.mark.parametrize(
    ("file", "line", "ends"),
    [
        ("render__page", "from pixread.targets.parse import examples", "which is not below it"),
        ("render__page", "from pixread import targets", "which is not below it"),
        ("render__page", "import pixread.cli", "which is not below it"),
        ("render__page", "from ..inputs import draw", "which is not below it"),
        ("render__page", "def late() -> None:\n    from pixread.shards import ShardSet", "which is not below it"),
        (
            "render__page",
            "import importlib\nimportlib.import_module('pixread.models')",
            "not below it",
        ),
        ("render__page", "from pixread import load", "which is not below it"),
        ("train__loop", "from pixread.bench import run", "which is not below it"),
        ("records", "from pixread.markup import parse", "which is not below it"),
        ("drawer", "import os", "give it one in LEVELS"),
    ],
)
def test_upward_and_sideways_imports_are_caught(tmp_path: Path, file: str, line: str, ends: str):
    violations = level_violations(house(tmp_path, **{file: line}))
    assert len(violations) == 1
    assert violations[0].endswith(ends)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("render__page", "from pixread.records import Node"),
        ("render__page", "from pixread.render.browser import Browser"),
        ("render__page", "from .browser import Browser"),
        ("render__page", "from pixread import __version__"),
        ("targets__parse", "from ..markup import serialise"),
        ("reader", "from pixread.generate.greedy import greedy"),
        ("cli", "def run() -> None:\n    from pixread.train.loop import train"),
    ],
)
def test_downward_imports_are_allowed(tmp_path: Path, file: str, line: str):
    assert level_violations(house(tmp_path, **{file: line})) == []


def test_long_files_and_functions_are_caught(tmp_path: Path):
    body = "    x = 1\n" * MAX_FUNCTION_LINES
    package = house(tmp_path, records="\n" * 401, cli="\n" * 400, reader=f"class A:\n  def long(self):\n{body}")
    assert size_violations(package) == [
        "records.py: 401 lines, 400 allowed",
        "reader.py:2: long has 81 lines, 80 allowed",
    ]


def test_print_is_caught_outside_the_command_line(tmp_path: Path):
    package = house(tmp_path, cli="print(1)", cli__parse="print(1)", reader="def f():\n    print(1)")
    assert print_violations(package) == ["reader.py:2: print outside cli"]


def test_drawers_are_caught(tmp_path: Path):
    package = house(tmp_path, inputs__utils="", models__helpers="", models__attention="")
    assert name_violations(package) == [
        "inputs/utils.py: the thing wants a name",
        "models/helpers.py: the thing wants a name",
    ]


def test_missing_annotations_are_caught(tmp_path: Path):
    package = house(tmp_path, cli="class A:\n    def f(self, a, *, b: int):\n        def g() -> None: ...\n")
    assert annotation_violations(package) == ["cli.py:2: f lacks annotations for ['a', 'return']"]


def test_circles_inside_a_room_are_caught(tmp_path: Path):
    package = house(
        tmp_path,
        models__one="from pixread.models.two import b",
        models__two="def late() -> None:\n    from pixread.models.three import c",
        models__three="if TYPE_CHECKING:\n    from .one import a",
        models__four="from pixread.models.one import a",
        targets__one="from pixread.models.one import a",
    )
    assert circle_violations(package) == ["models/one.py <-> models/three.py <-> models/two.py"]


def test_names_that_a_room_defines_twice_are_caught(tmp_path: Path):
    package = house(
        tmp_path,
        models__one="class Part: ...\nSIZE: int = 1\ndef _own(): ...",
        models__two="def Part(): ...\nSIZE = 2\ndef _own(): ...",
        targets__one="class Part: ...",
    )
    assert twin_violations(package) == {"models": ["Part", "SIZE"]}


@pytest.mark.parametrize(
    ("handler", "caught"),
    [("except:\n    raise", 1), ("except Exception:\n    pass", 1), ("except OSError:\n    pass", 0)],
)
def test_swallowed_exceptions_are_caught(tmp_path: Path, handler: str, caught: int):
    package = house(tmp_path, cli=f"try:\n    x = 1\n{handler}\n")
    assert len(swallowing_violations(package)) == caught
