"""The project as a newcomer meets it: the README's code runs, the packages' arrows hold, the wheel is alto."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import alto

ROOT = Path(__file__).parent.parent


def test_the_readmes_code_runs():
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    scope = {}
    exec(compile(block, "README.md", "exec"), scope)
    assert isinstance(scope["optimizer"], alto.ALTO)
    uncommented = block.replace("# optimizer = E(", "optimizer = E(")
    assert uncommented != block
    exec(compile(uncommented, "README.md", "exec"), scope)
    assert isinstance(scope["optimizer"], alto.E)


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"verify", "test"} <= named <= targets


def test_relative_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "README.md").read_text())
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


def test_only_the_fused_engines_need_more_than_torch():
    optional = {"cpu.py", "_cpu_kernels.py", "gpu.py"}
    outside = {name for file, name in imports("alto") if file.name not in optional} - set(sys.stdlib_module_names)
    assert outside == {"alto", "torch"}


def test_importing_alto_imports_nothing_optional():
    code = """
import sys, warnings
sys.modules["numpy"] = None  # as in an environment with torch alone
warnings.simplefilter("ignore")  # torch says that numpy is missing
import alto
print([name for name in ("numba", "triton", "scipy", "rich", "theory", "experiments") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wheel_ships_alto_alone(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "alto/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"alto", f"alto_optim-{alto.__version__}.dist-info"}
