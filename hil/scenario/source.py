"""YAML with its line numbers: strict, so that no key stands twice and nothing is guessed.

Role: text to plain values, and the line each came from. Must never: construct anything but text,
numbers, lists and mappings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Where = tuple[str | int, ...]


class ScenarioError(Exception):
    """A scenario that cannot be run: one line with file, line and remedy."""


@dataclass(slots=True)
class Source:
    """The values of a file and the line of each."""

    path: Path
    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)

    def fail(self, where: Where, message: str) -> ScenarioError:
        """An error at this place, or at the nearest one around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return ScenarioError(f"{self.path}:{self.lines.get(where, 1)}: {message}")


def read(path: Path) -> Source:
    """Raises ScenarioError."""
    source = Source(path)
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}; name a scenario file") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: not UTF-8; save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ScenarioError(
            f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}"
        ) from error
    if node is None:
        raise ScenarioError(f"{path}: empty; `liftctl hil explain scenario` shows one")
    source.value = _value(source, node, ())
    return source


def _value(source: Source, node: yaml.Node, where: Where) -> Any:
    source.lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(source, node, where)
    if isinstance(node, yaml.SequenceNode):
        return [_value(source, item, (*where, n)) for n, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node)


def _mapping(source: Source, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in found:
            source.lines[(*where, key)] = key_node.start_mark.line + 1
            raise source.fail((*where, key), f"'{key}' stands twice; keep one")
        found[key] = _value(source, value_node, (*where, key))
        source.lines[(*where, key)] = key_node.start_mark.line + 1
    return found
