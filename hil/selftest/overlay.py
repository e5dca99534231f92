"""An import hook that supplies a module's changed code in place of its file.

Role: how one mutant gets into a process of its own, before anything imports the module. Process: a
child of a mutation test or of the bench's self-test. Must never: write into the tree.
"""

from __future__ import annotations

from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType
from typing import Any


def module_name(path: str) -> str:
    """`safety/step.py` as it is imported."""
    return path.removesuffix(".py").replace("/", ".")


class Overlay(MetaPathFinder, Loader):
    """Supplies prepared code instead of what the file says."""

    def __init__(self, codes: dict[str, CodeType]) -> None:
        self.codes = codes
        self.loaded: set[str] = set()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in self.codes:
            return None
        return spec_from_file_location(fullname, self.codes[fullname].co_filename, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        self.loaded.add(module.__name__)
        exec(self.codes[module.__name__], module.__dict__)  # noqa: S102  that is its purpose
