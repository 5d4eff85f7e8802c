"""A digest changes with the code of what is imported and with nothing else; a commit is this checkout's or none."""

import subprocess

import pytest

from theory.ledger import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A package ``theory`` of a few files in a folder of its own: name of a file -> its text."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path.resolve())

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "theory" / f"{name.replace('__', '/')}.py".replace("/init.py", "/__init__.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write(a="from theory.b import x\n", b="import numpy\nx = 1\n", other="y = 1\n")
    return write


def names(*modules):
    return [str(path.relative_to(provenance.ROOT / "theory")) for path in provenance.closure(*modules)]


def test_the_closure_is_what_is_imported_and_the_module_comes_first(checkout):
    assert names("theory.a") == ["a.py", "b.py"]
    assert names("theory.b") == ["b.py"]


@pytest.mark.parametrize(
    "text",
    [
        '"""Says what it does."""\nfrom theory.b import x\n',
        "# why\n\n\nfrom theory.b import (\n    x,\n)\n",
        'from theory.b import x\n"""What x is."""\n',
    ],
    ids=["docstring", "comments and layout", "docstring of a name"],
)
def test_words_do_not_change_a_digest(checkout, text):
    before = provenance.digest("theory.a")
    checkout(a=text)
    assert provenance.digest("theory.a") == before


@pytest.mark.parametrize(
    "changed",
    [
        {"a": "from theory.b import x\nz = 0\n"},
        {"b": "import numpy\nx = 2\n"},
        {"a": 'from theory.b import x\nt = "s"\n'},
    ],
    ids=["its own code", "the code that it imports", "a string that is used"],
)
def test_code_changes_a_digest(checkout, changed):
    before = provenance.digest("theory.a")
    checkout(**changed)
    assert provenance.digest("theory.a") != before


def test_code_that_is_not_imported_does_not_count(checkout):
    before = provenance.digest("theory.a")
    checkout(other="y = 2\n")
    assert provenance.digest("theory.a") == before


def test_data_count_byte_by_byte(checkout, tmp_path):
    data = tmp_path / "data.json"
    data.write_text("1")
    before = provenance.digest("theory.a", data=[data])
    data.write_text("2")
    assert len({before, provenance.digest("theory.a", data=[data]), provenance.digest("theory.a")}) == 3


def test_imports_in_functions_count_and_those_for_type_checkers_do_not(checkout):
    checkout(a="def f():\n    from theory.b import x\n    return x\n")
    assert names("theory.a") == ["a.py", "b.py"]
    checkout(a="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from theory.b import x\n")
    assert names("theory.a") == ["a.py"]


def test_a_package_that_hands_a_name_on_gives_way_to_the_file_that_defines_it(checkout):
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from theory.room.one import x\n"
    checkout(room__init=lazy, room__one="x = 1\n", room__two="y = 1\n", a="from theory.room import x\n")
    assert names("theory.a") == ["a.py", "room/one.py"]
    checkout(a="from theory.room import two\n")
    assert names("theory.a") == ["a.py", "room/two.py"]
    checkout(room__init="def own(): ...\n", a="from theory.room import own\n")
    assert names("theory.a") == ["a.py", "room/__init__.py"]


def test_a_package_that_imports_all_its_modules_counts_with_all(checkout):
    checkout(room__init="from pkgutil import iter_modules\nmake, _ = 1, iter_modules(__path__)\n", room__one="x = 1\n",
             a="from theory import room\n")  # fmt: skip
    assert set(names("theory.a")) == {"a.py", "room/__init__.py", "room/one.py"}


def test_what_cannot_be_followed_is_refused(checkout):
    with pytest.raises(ModuleNotFoundError, match=r"theory\.none"):
        provenance.closure("theory.none")
    checkout(a="from . import b\n")
    with pytest.raises(ValueError, match="relative import"):
        provenance.closure("theory.a")


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_commit_is_marked_if_its_files_have_changed(checkout, tmp_path):
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "One")
    clean = provenance.commit(["theory"])
    assert len(clean) == 12
    checkout(other="y = 2\n")
    assert provenance.commit(["theory"]) == f"{clean}+"
    assert provenance.commit(["theory/a.py"]) == clean


def test_the_commit_of_another_repository_is_not_taken(checkout, tmp_path, monkeypatch):
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "A stranger's")
    monkeypatch.setattr(provenance, "ROOT", (tmp_path / "theory").resolve())
    assert provenance.commit(["."]) == "unknown"


def test_without_git_the_commit_is_unknown(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit(["theory"]) == "unknown"


def test_a_record_names_code_commit_tools_and_machine():
    record = provenance.record(provenance.code("theory.ledger.files"), ("numpy",))
    assert record["source"] == provenance.digest("theory.ledger.files")
    assert record.keys() == {"source", "commit", "computed", "versions", "processor", "cores", "platform", "load"}
    assert record["versions"].keys() == {"python", "numpy"}
    assert record["cores"] >= 1


def test_a_function_counts_with_what_it_needs_of_its_module(checkout):
    text = (
        "from theory import b, other\nfrom theory.b import x\nLIMIT = x\n\ndef helper():\n    return LIMIT\n\n"
        "def compute():\n    return helper()\n\ndef draw():\n    return other\n"
    )
    checkout(a=text)
    assert names("theory.a:compute") == ["a.py", "b.py"]
    before = provenance.digest("theory.a:compute"), provenance.digest("theory.a")
    checkout(a=text + "    # its end\n\ndef drawn_otherwise():\n    return 1\n")
    assert provenance.digest("theory.a:compute") == before[0]
    assert provenance.digest("theory.a") != before[1]
    for changed in ("return LIMIT + 1", "return helper"):
        checkout(a=text.replace("return LIMIT" if "LIMIT" in changed else "return helper()", changed))
        assert provenance.digest("theory.a:compute") != before[0]
    with pytest.raises(AttributeError, match="'none'"):
        provenance.closure("theory.a:none")


def test_constants_are_read_without_importing(checkout):
    checkout(a='import nothing_of_this_name\nSTUDIES = ("one", "two")\nTITLE = (\n    "A "\n    "title"\n)\n')
    assert provenance.constants("theory.a", "STUDIES", "TITLE", "SEE") == {
        "STUDIES": ("one", "two"),
        "TITLE": "A title",
    }
