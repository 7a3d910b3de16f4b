"""Guards the shape of the package: it imports in no time, its arrows point down, and what is public is explained."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import companion

PACKAGE = Path(companion.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From bottom to top. A module may import from its own layer and from those before it; a new one must be placed here.
LAYERS = [
    ["errors", "files", "found", "interrupts", "plain", "randomness", "records", "settings"],
    ["environment", "data"],
    ["blind", "classical", "layers", "losses", "models", "objectives", "variational", "viz"],
    ["listening", "pretrained", "metrics", "training", "vision"],
    ["restoration"],
    [
        "exercises",
        "export",
        "latent",
        "likeness",
        "museum",
        "reproduce",
        "serving",
        "sonify",
        "tiling",
        "translation",
        "viewer",
    ],
    ["course", "doctor"],
    ["commands"],
    ["cli", "__main__"],
]
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
# Within a layer, who may not know whom.
APART = {
    "metrics": {"training"},
    "training": {"metrics"},
    "objectives": {"models"},
    "models": {"objectives", "viz"},
    "layers": {"losses", "models", "objectives", "viz"},
}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    """A module's source, which several tests walk through."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Companion's own modules that this one imports, anywhere in it, but for those that only a type checker reads."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path.name} imports relatively; name the module in full"
            found.update(
                [node.module] if node.module != "companion" else [f"companion.{a.name}" for a in node.names]
            )
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(parsed(path))
    return {name for name in found if name.startswith("companion.") and name != "companion.__version__"}


def layer(name: str) -> str:
    return name.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_down_only(path):
    """Nothing below imports anything above it, and nobody imports the command line."""
    name = dotted(path)
    if name == "companion":
        assert imports(path) == set()
        return
    own = layer(name)
    assert own in HEIGHT, f"{name} has no layer yet; give it one in LAYERS"
    for imported in imports(path):
        below = layer(imported)
        assert HEIGHT[below] <= HEIGHT[own], f"{name} imports {imported}, which lies above it"
        assert below not in APART.get(own, ()), (
            f"{name} imports {imported}; the two are to know nothing of each other"
        )
        assert below != "cli" or own == "__main__"


MEASURE = """
import sys, time
before = set(sys.modules)
start = time.process_time()
import companion
seconds = time.process_time() - start
heavy = {"torch", "torchvision", "fastai", "numpy", "matplotlib", "PIL"} & set(sys.modules)
print(seconds, sorted(heavy))
"""


def test_importing_companion_takes_no_time_and_brings_no_heavy_package():
    """At most 0.1 s of the processor, the best of three; neither torch nor fastai."""
    answers = [
        subprocess.run(
            [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
        ).stdout.split(" ", 1)
        for _ in range(3)
    ]
    assert min(float(seconds) for seconds, _ in answers) <= 0.1
    assert {heavy.strip() for _, heavy in answers} == {"[]"}


@pytest.mark.parametrize("command", [[], ["train"], ["vision"], ["vision", "face"], ["doctor"]], ids=" ".join)
def test_the_command_line_answers_help_without_torch(command):
    """`companion --help` must not make a reader wait; a model's own options come with torch, its defaults' home."""
    code = (
        "import sys; from companion.cli import main\n"
        f"try: main({[*command, '--help']})\n"
        "except SystemExit: print(sorted({'torch', 'fastai', 'matplotlib'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_the_trackers_come_without_torch():
    """Whoever finds hands need not wait for torch and torchvision, which take longer than all else together."""
    code = (
        "import sys; from companion.training.stopping import stop_requested; "
        "from companion.vision import outputs, privacy, sources, trackers, volume; "
        "print(sorted({'torch', 'torchvision', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


WITH_FASTAI = {  # chapter 5's alone, and nobody imports these at the top of a module
    "companion.models.unet",
    "companion.restoration.faults",
    "companion.restoration.folders",
    "companion.restoration.learners",
    "companion.restoration.settings",
    "companion.restoration.trainer",
}


@pytest.mark.slow
def test_only_chapter_5_imports_fastai():
    """Fastai takes seconds to import: no command, model or recipe of another chapter waits for it."""
    found = set()
    for path in MODULES:
        tree = parsed(path)
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if any(name.split(".")[0] == "fastai" for name in names):
            found.add(dotted(path))
    assert found == WITH_FASTAI


def public(tree: ast.Module) -> list[ast.AST]:
    """Public classes and functions of a module, and the public methods of its public classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    top = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    inner = [n for c in top if isinstance(c, ast.ClassDef) for n in c.body if isinstance(n, kinds)]
    return [*top, *(node for node in inner if not node.name.startswith("_"))]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_everything_public_is_explained_and_typed(path):
    """Every module opens with a docstring; public classes, functions and methods have one, and types throughout."""
    tree = parsed(path)
    assert ast.get_docstring(tree), f"{path} does not say what it is"
    for node in public(tree):
        assert ast.get_docstring(node), f"{dotted(path)}.{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            plain = [
                a
                for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if a.annotation is None
            ]
            assert {argument.arg for argument in plain} <= {"self", "cls"}, f"{dotted(path)}.{node.name}"
            assert node.returns is not None, f"{dotted(path)}.{node.name}"


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.slow
def test_pickles_are_opened_nowhere():
    """No pickle in the package: files never run code. Others' weights are read as tensors and nothing else."""
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "torch.load" and "weights_only=True" in map(ast.unparse, node.keywords):
                    continue
                if (
                    called == "exec" and path.name == "grading.py"
                ):  # a check's call, in the notebook that it grades
                    continue
                assert called not in {
                    "torch.load",
                    "pickle.load",
                    "pickle.loads",
                    "np.load",
                    "eval",
                    "exec",
                }, path
