"""What a plain word of YAML stands for (the core schema of YAML 1.2), and `${VARIABLES}`.

PyYAML follows YAML 1.1, where `1e-3` is text, `no` is false, `010` is eight and `12:30` a number.
Here numbers are what everybody takes for numbers, and only `true` and `false` are booleans.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from harness.api.errors import HarnessError
from harness.suite.nodes import Entry, Listing, Mark, Node, Scalar, Table
from harness.suite.problems import Problems

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)", re.ASCII)
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+", re.ASCII)
_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLAIN = re.compile(r"\w[\w .+-]*(?<! )")
_LARGEST = 2**63
_MOST_DIGITS = 70


def value_of(word: str, mark: Mark) -> str | int | float | bool | None:
    """The value of an unquoted word.

    >>> [value_of(word, Mark("s")) for word in ("1e-3", "1E5", ".5e-3", "64", "no", "~", "1.")]
    [0.001, 100000.0, 0.0005, 64, 'no', None, 1.0]

    Raises:
        HarnessError: a whole number that does not fit in 64 bits, or one that starts with zeros.
    """
    if word in _NULL:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if _INTEGER.fullmatch(word) or _BASED.fullmatch(word):
        number = int(word, 0) if len(word) <= _MOST_DIGITS else _LARGEST
        if not -_LARGEST <= number < _LARGEST:
            raise HarnessError("a whole number does not fit in 64 bits", where=str(mark))
        return number
    if _LEADING_ZERO.fullmatch(word):
        fix = "write it without leading zeros, or in quotes"
        raise HarnessError(f"is {word} a decimal or an octal number?", where=str(mark), fix=fix)
    if _FLOAT.fullmatch(word):
        return float(word)
    if _INFINITE.fullmatch(word):
        return float(word.replace(".", ""))
    return word


def is_text(word: str) -> bool:
    """Whether an unquoted word would be read as this very text."""
    try:
        return isinstance(value_of(word, Mark("")), str)
    except HarnessError:
        return False


def quoted(word: str) -> str:
    """A text as it stands in a table of one line, in quotes where it would mean something else.

    >>> print(quoted("very good"), quoted("1"), quoted("a: b"))
    very good "1" "a: b"
    """
    plain = _PLAIN.fullmatch(word) and is_text(word)
    return word if plain else json.dumps(word, ensure_ascii=False)


def fill_variables(node: Node, environment: Mapping[str, str], problems: Problems) -> Node:
    """The tree with `${NAME}` in texts replaced by the environment; `$${` stands for `${`.

    A variable that is not set is a problem, and no end: the value stays as it is, with its fault.
    """
    if isinstance(node, Listing):
        return Listing(
            node.mark, tuple(fill_variables(item, environment, problems) for item in node.items)
        )
    if isinstance(node, Table):
        return Table(
            node.mark,
            tuple(
                Entry(e.key, e.mark, fill_variables(e.value, environment, problems))
                for e in node.entries
            ),
        )
    if isinstance(node.value, str) and "${" in node.value:
        try:
            return _filled(node, node.value, environment)
        except HarnessError as error:
            problems.add(error)
            return replace(node, fault=error)
    return node


def _filled(node: Scalar, text: str, environment: Mapping[str, str]) -> Scalar:
    def replacement(match: re.Match[str]) -> str:
        if match.group(0) == "$${":
            return "${"
        name = match.group(1)
        if not match.group(2) or not _NAME.fullmatch(name):
            raise HarnessError(
                "a variable is written ${NAME}",
                where=str(node.mark),
                fix="write $${ for a plain ${",
            )
        if name not in environment:
            raise HarnessError(
                f"the environment variable {name} is not set",
                where=str(node.mark),
                fix=f"set it, as in `export {name}=...`",
            )
        return environment[name]

    return Scalar(node.mark, _VARIABLE.sub(replacement, text), node.raw)
