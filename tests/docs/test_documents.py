"""The documents say what is there: links, commands, paths."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import typer

from liftctl.cli import LATER, app
from liftctl.safetycase.pages import ROOT

# Spelled in two parts, so that this file does not hold them itself.
FORBIDDEN = (
    "pyp" + "i.org",
    "python" + "hosted",
    "/wor" + "k/",
    "/ho" + "me/",
    "/ro" + "ot/",
    "domain" + ".md",
    "design" + ".md",
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[ /(])liftctl ([a-z][a-z ]*[a-z])")
PATH = re.compile(r"^(?:safety|drivers|config|liftctl|hil|tests|docs|requirements)/[\w./-]+$")


@cache
def tracked() -> tuple[Path, ...]:
    """Files git knows or would add; every file of an unpacked archive."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        found = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    else:
        hidden = (path.relative_to(ROOT).parts for path in ROOT.rglob("*"))
        found = [ROOT.joinpath(*parts) for parts in hidden if not parts[0].startswith(".")]
    return tuple(path for path in found if path.is_file())


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchor(heading: str) -> str:
    """The fragment GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {
        anchor(line.lstrip("#"))
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("#")
    }


def spans(path: Path) -> list[str]:
    return CODE.findall(re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL))


@pytest.mark.parametrize("path", documents(), ids=ids)
def test_relative_links_resolve(path: Path) -> None:
    for link in LINK.findall(path.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link} leads nowhere"
        assert not fragment or fragment in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("path", documents(), ids=ids)
def test_named_paths_exist(path: Path) -> None:
    for span in spans(path):
        name = span.partition("::")[0]
        if PATH.match(name) and "NAME" not in name:
            assert (ROOT / name).exists(), f"{name} does not exist"


@pytest.mark.parametrize("path", documents(), ids=ids)
def test_named_tests_exist(path: Path) -> None:
    for span in spans(path):
        name, _, test = span.partition("::")
        if test:
            assert f"def {test}(" in (ROOT / name).read_text("utf-8"), f"{span} does not exist"


@cache
def commands() -> set[str]:
    """Every command, groups and their commands included: "up", "config", "config check"."""
    found, group = set[str](), typer.main.get_group(app)
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found |= {name, *(f"{name} {inner}" for inner in getattr(command, "commands", {}))}
    return found


def test_every_command_has_the_line_of_help_that_the_list_shows() -> None:
    """What is imported only when asked for says of itself what the list said."""
    group = typer.main.get_group(app)
    context = typer.Context(group)
    for name, (text, _) in LATER.items():
        command = group.get_command(context, name)
        assert command is not None and text.endswith("."), name
        if getattr(command, "commands", None):
            assert (command.help or "").strip() == text, name


def test_a_process_that_is_started_by_command_has_no_report_in_its_memory() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from liftctl.cli import app; "
        "CliRunner().invoke(app, ['gate', '--help']); "
        "print(sorted({'httpx', 'can', 'yaml', 'starlette', 'fastapi', 'jsonschema', 'canopen', "
        "'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", documents(), ids=ids)
def test_named_commands_exist(path: Path) -> None:
    known = commands()
    for span in spans(path):
        for said in COMMAND.findall(span):
            words = said.split()
            group = any(item.startswith(f"{words[0]} ") for item in known)
            assert " ".join(words[: 1 + group]) in known, f"{span}: no such command"


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    groups = {name.split()[0] for name in commands() if " " in name}
    missing = [name for name in commands() - groups if f"`liftctl {name}`" not in text]
    assert not missing


@pytest.mark.parametrize("path", documents(), ids=ids)
def test_named_make_targets_exist(path: Path) -> None:
    made = (ROOT / "Makefile").read_text("utf-8")
    for span in spans(path):
        if (found := re.match(r"make ([a-z]+)", span)) is not None:
            assert re.search(rf"^{found[1]}:", made, re.MULTILINE), f"{span}: no such target"


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text("utf-8")))
    assert {path.name for path in folder.glob("0*.md")} <= listed


def test_pictures_are_small_and_used() -> None:
    text = "".join(path.read_text("utf-8") for path in documents())
    for path in (ROOT / "docs" / "pictures").iterdir():
        assert path.stat().st_size < 250_000, f"{path.name} is too large"
        assert f"pictures/{path.name}" in text, f"{path.name} is not used"


def test_no_file_holds_a_forbidden_word() -> None:
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        held = [word for word in FORBIDDEN if word in text]
        assert not held, f"{path.relative_to(ROOT)} holds {held}"


def test_the_kernel_can_be_read_in_one_sitting() -> None:
    """Statements, as the parser counts them: packing two into a line makes nothing shorter."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "safety").glob("*.py"))]
    nodes = [node for text in sources for node in ast.walk(ast.parse(text))]
    docstrings = sum(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in nodes)
    assert 1000 < sum(isinstance(n, ast.stmt) for n in nodes) - docstrings < 1500
    assert max(len(text.splitlines()) for text in sources) <= 300
