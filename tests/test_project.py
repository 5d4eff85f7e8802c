"""The project as a newcomer meets it: the README's code runs, the packages' arrows hold, the wheel works."""

import ast
import graphlib
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import alto
from theory.commands import answers
from theory.ledger import outcomes

ROOT = Path(__file__).parent.parent


README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_every_block_of_the_readme_has_a_test():
    assert "\n    " not in re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)  # no indented block
    assert {kind for kind, _ in BLOCKS} <= {"python", "console", "sh", "bibtex"}


def test_the_readmes_python_runs_and_prints_what_it_says(capsys):
    scope, said = {}, 0
    for block in [text for kind, text in BLOCKS if kind == "python"]:
        exec(compile(block, "README.md", "exec"), scope)
        printed = capsys.readouterr().out
        expected = re.findall(r"#\s*prints: (.*)", block)
        assert printed.splitlines()[: len(expected)] == expected
        said += len(expected)
    assert said
    assert isinstance(scope["optimizer"], alto.ALTO)
    assert scope["loss"] < 0.1  # the method works on the example


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "console"], ids=lambda text: text[2:40])
def test_the_readmes_commands_print_what_it_says(block):
    command, expected = block.split("\n", 1)
    assert command.startswith("$ python -m ")
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[2:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    assert expected.replace("...\n", "")
    for part in expected.split("...\n"):  # three dots stand for lines left out
        lines = [line.rstrip() for line in part.splitlines()]
        assert any(printed[k : k + len(lines)] == lines for k in range(len(printed))), done.stdout + done.stderr


def test_the_readmes_findings_are_the_ledgers():
    entries = {entry.claim.id: entry for entry in outcomes.accepted()}
    assert f"The paper's {answers.counts(filter(answers.of_paper, entries.values()))}" in README
    rows = re.findall(r"^\| (.+?) \| (.+?) \| ([a-z-]+) \[`([\w.-]+)`\]\((.+?)\) \|$", README, re.MULTILINE)
    assert len(rows) >= 8
    for said, found, verdict, name, path in rows:
        claim = entries[name].claim
        assert said.replace("\\|", "|") == (claim.plain or claim.statement)
        assert (found.replace("\\|", "|"), verdict) == (claim.found, entries[name].verdict)
        assert f'"{name}"' in (ROOT / path).read_text()


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert {"verify", "test"} <= named <= targets


def test_relative_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    local = [link for link in links if "://" not in link]
    assert local
    assert all((ROOT / link).exists() for link in local)


def test_the_version_is_the_same_everywhere():
    assert f"version: {alto.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {alto.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def imports(package):
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield file, node.module.split(".")[0]


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("alto", {"theory", "experiments", "tests", "scipy"}),
        ("theory", {"experiments", "tests"}),
        ("experiments", {"theory", "tests"}),
    ],
)
def test_arrows(package, forbidden):
    found = list(imports(package))
    assert found
    assert [(str(file), name) for file, name in found if name in forbidden] == []


SUBPACKAGES = {
    "theory": {
        "objectives": set(),
        "plotting": set(),
        "ledger": set(),
        "method": set(),
        "stability": {"method"},
        "theorems": {"ledger", "method"},
        "rocq": {"ledger", "method", "theorems", "worst_case"},
        "conform": {"ledger", "method", "rates"},
        "monitor": {"method", "stability", "theorems"},
        "simulate": {"stability"},
        "worst_case": {"ledger", "plotting"},
        "rates": {"ledger", "method", "objectives", "plotting", "stability", "theorems"},
        "studies": {"ledger", "method", "objectives", "plotting", "simulate", "stability", "theorems"},
        "claims": {"ledger", "method", "rocq", "simulate", "stability", "studies", "theorems", "worst_case"},
        "figures": {"ledger", "method", "plotting", "studies"},
        "tex": {"claims", "figures", "ledger", "method", "rates", "stability", "studies", "theorems"},
        "commands": {
            "claims", "conform", "figures", "ledger", "method", "monitor", "objectives", "plotting", "rates", "rocq",
            "stability", "studies", "tex", "theorems", "worst_case",
        },
    },
    "experiments": {
        "io": set(),
        "config": {"io"},
        "distributed": {"io"},
        "data": {"config", "io"},
        "optimizers": {"config", "io"},
        "models": {"config", "data", "io"},
        "runs": {"config", "io", "optimizers"},
        "training": {"config", "data", "distributed", "io", "models", "optimizers", "runs"},
        "analysis": {"config", "io", "optimizers", "runs"},
        "sweep": {"analysis", "config", "data", "distributed", "io", "models", "runs", "training"},
        "report": {"analysis", "config", "io"},
        "bench": {"analysis", "io"},
        "cli": {
            "analysis", "bench", "config", "data", "distributed", "io", "report", "sweep", "training",
        },
    },
}  # fmt: skip
"""The subpackages of each package, and those that each may import."""


def arrows(package):
    """Imports of one subpackage by another, also those inside functions, but not those for type checkers alone."""
    for file in sorted((ROOT / package).glob("*/**/*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        typing = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module == package:
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
                names = [node.module.split(".")[1]]
            elif isinstance(node, ast.Import):
                names = [alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{package}.")]
            own = file.relative_to(ROOT / package).parts[0]
            if id(node) not in typing and own != "scripts":  # no subpackage: a script may use them all
                yield from ((own, name, file.name) for name in names if name != own)


@pytest.mark.parametrize("package", SUBPACKAGES)
def test_arrows_between_subpackages(package):
    allowed = SUBPACKAGES[package]
    assert set(allowed) == {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    found = list(arrows(package))
    assert found
    assert [arrow for arrow in found if arrow[1] not in allowed[arrow[0]]] == []
    assert {own: names - {to for frm, to, _ in found if frm == own} for own, names in allowed.items() if names} == {
        own: set() for own, names in allowed.items() if names
    }  # an arrow that nothing needs is taken from the table
    graphlib.TopologicalSorter(allowed).prepare()  # no circle


@pytest.mark.parametrize("package", SUBPACKAGES)
def test_no_module_stands_outside_the_subpackages(package):
    assert {path.name for path in (ROOT / package).glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("package", SUBPACKAGES)
def test_tests_mirror_the_subpackages(package):
    names = {path.parent.name for path in (ROOT / "tests" / package).glob("*/test_*.py")}
    assert names <= set(SUBPACKAGES[package])


def test_only_the_fused_engines_need_more_than_torch():
    optional = {"cpu.py", "_cpu_kernels.py", "gpu.py", "optax.py"}
    outside = {name for file, name in imports("alto") if file.name not in optional} - set(sys.stdlib_module_names)
    assert outside == {"alto", "torch"}


def test_importing_alto_imports_nothing_optional():
    code = """
import sys, warnings
sys.modules["numpy"] = None  # as in an environment with torch alone
warnings.simplefilter("ignore")  # torch says that numpy is missing
import alto
optional = ("numba", "triton", "scipy", "rich", "optax", "jax", "theory", "experiments")
print([name for name in optional if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_theory_runs_from_the_wheel_anywhere(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "alto/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"alto", "theory", f"alto_optim-{alto.__version__}.dist-info"}
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", "from theory import __main__ as t; print(t.__file__); t.main(['ledger']); "
         "t.main(['figures', 'divergence']); t.main(['figures', 'impulse-response', '--set', 'beta1=.95'])"],
        cwd=tmp_path / "elsewhere", env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert str(tmp_path / "installed") in done.stdout
    assert "What the paper claims" in done.stdout
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"runs"}
    assert (tmp_path / "elsewhere" / "runs" / "theory" / "figures" / "divergence.pdf").exists()
    assert not (tmp_path / "installed" / "results").exists()
