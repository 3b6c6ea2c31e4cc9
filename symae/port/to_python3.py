"""Python 2 into Python 3, by fissix; division and libraries are others' work."""

from __future__ import annotations

import ast
import functools
import logging
import re
from collections.abc import Sequence
from os import PathLike
from typing import Any

from symae._runtime.quiet import without_warnings
from symae.errors import InputError
from symae.port.source_edit import Draft
from symae.python2.convert import NEXT_FIXER, line_of, tree_of
from symae.python2.source import untabbed
from symae.python2.version_detection import python_version_of

# `import` turns imports of neighbours into relative ones, which scripts cannot have; `types` takes all texts for bytes, and
# `long` and `basestring` a program's own names for built-in ones: symae.port.to_python3_names knows better. The others are
# questions of taste.
_LEFT_OUT = {"import", "types", "long", "basestring", "ws_comma", "idioms", "set_literal", "asserts", "buffer", "sorted"}


def parse(text: str) -> ast.Module | SyntaxError:
    """Return the tree of a Python 3 program, or the error that says why there is none."""
    try:
        return tree_of(text)
    except SyntaxError as error:
        return error
    except (RecursionError, MemoryError, ValueError) as error:
        return SyntaxError(str(error) or "too deeply nested")


def to_python3(draft: Draft, where: str | PathLike[str], python: int | None = None) -> bool:
    """Make Python 3 of `draft`, the file `where`, and return True if it was Python 2; what is neither is an InputError.

    `python` is which Python it is, found out unless given. A program that both read is taken for Python 2 if it uses modules,
    functions or methods that only Python 2 had.
    """
    tree = parse(draft.text)
    if python == 3 and isinstance(tree, SyntaxError):
        raise _refusal(draft.text, where, tree.lineno or 1, "Python 3", tree.msg)
    if not isinstance(tree, SyntaxError) and (python == 3 or (python is None and python_version_of(tree) != "python2")):
        return False
    why, line = (tree.msg, tree.lineno or 1) if isinstance(tree, SyntaxError) else ("", 1)
    text, messages = _converted(draft.text, where, why, line)
    text = text if not isinstance(parse(text), TabError) else _converted(untabbed(draft.text), where, why, line)[0]
    after = parse(text)
    for message in messages:
        number, _, reason = message.partition(": ")
        draft.note(int(number), f"Python 2: {reason}")
    draft.replace(text)
    if isinstance(after, SyntaxError):
        raise _refusal(text, where, after.lineno or 1, "Python 2 or 3", after.msg)
    return True


def _converted(text: str, where: str | PathLike[str], why: str, line: int) -> tuple[str, list[str]]:
    """Convert `text` with fissix; return its messages too, "line: …"; `why` and `line` are Python 3's objection."""
    ended = text.endswith("\n")
    source = text if ended else text + "\n"
    worst = line
    for print_function in (False, True):  # a file of both Pythons may call print(…, file=f) without saying so at the top
        tool = _tool(print_function)
        tool.fixer_log.clear()
        try:
            tree = tool.refactor_string(source, str(where))
        except Exception as error:  # whatever fissix's driver, tokenizer and fixers say of what they cannot read
            worst = max(worst, line_of(error) or 1)
            continue
        result = str(tree)
        messages = _messages(tool.fixer_log)
        return (result if ended else result.removesuffix("\n")), messages
    lines = text.split("\n")
    if why and not why.startswith("Missing parentheses") and not "".join(lines[worst - 1 :]).strip():
        worst = line  # fissix only noticed that the file ended too soon; Python 3 knows what was left open
    raise _refusal(text, where, worst, "Python 2 or 3", why if worst == line else "invalid syntax")


@functools.cache
def _tool(print_function: bool) -> Any:
    with without_warnings(""):
        from fissix import refactor

        logging.getLogger("RefactoringTool").setLevel(logging.CRITICAL)
        names = refactor.get_fixers_from_package("fissix.fixes")
        chosen = [n for n in names if n.rpartition(".fix_")[2] not in _LEFT_OUT]
        if print_function:
            chosen.remove("fissix.fixes.fix_print")
        return refactor.RefactoringTool([*chosen, NEXT_FIXER], {"print_function": print_function})


def _messages(log: Sequence[str]) -> list[str]:
    """Return what fissix's fixers have to say: "line: …"; an entry without a line is the reason of the one before."""
    messages: list[str] = []
    for entry in log:
        found = re.match(r"Line (\d+): (?:could not convert: )?(.*)", entry, re.DOTALL)
        words = " ".join((found[2] if found else entry).split())
        if found:
            messages.append(f"{found[1]}: {words}")
        elif messages:
            messages[-1] += f": {words}"
    return messages


def _refusal(text: str, where: str | PathLike[str], line: int, expected: str, why: str | None) -> InputError:
    lines = text.split("\n")
    what = lines[min(line, len(lines)) - 1].strip()
    what = repr(what if len(what) <= 60 else what[:59] + "…") if what else "the end of a block"
    return InputError(f"{where}, line {line}", what, f"{expected} ({why or 'invalid syntax'})")
