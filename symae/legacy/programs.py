"""Programs that a script starts: the files that their words name are those that the script sees.

They run in the output folder, and what they write by a relative name is there. A file of the user's that a word names is copied
there before, because a program may change what it is given; a program, and a source for an interpreter, is run where it lies.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from symae.legacy.copies import Copies
from symae.legacy.owners import is_inside
from symae.legacy.path_mapping import REAL

__all__ = ["Programs"]

# Words of a shell's line: quoted or not, without what joins commands and redirects.
WORD = re.compile(r"""'[^']*'|"[^"$`]*"|[^\s'"|&;<>()`$=]+""")
INTERPRETER = re.compile(r"(?:.*/)?(?:python|sh|bash|perl|ruby|node)[\d.]*")
LARGEST = 1 << 28  # bytes that are copied


class Programs(Copies):
    """Map the names among the words that other programs are started with."""

    @contextmanager
    def programs_redirected(self) -> Iterator[None]:
        """Map the words that `subprocess` is given as long as the block lasts."""
        start = subprocess.Popen.__init__

        def starting(process: Any, args: Any, *rest: Any, **more: Any) -> None:
            if more.get("cwd") is not None:
                more["cwd"] = self.folder_for(more["cwd"])
            start(process, self.command(args, more.get("cwd")), *rest, **more)

        subprocess.Popen.__init__ = starting  # type: ignore[assignment]
        try:
            yield
        finally:
            subprocess.Popen.__init__ = start  # type: ignore[method-assign]

    def starter(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function like `os.system`, or like `os.execv`, that maps its words."""

        def starting(program: Any, *rest: Any, **more: Any) -> Any:
            if not rest:
                return function(self.command(program), **more)
            return function(self._word(program, True, None), self.command(rest[0]), *rest[1:], **more)

        return starting

    def folder_for(self, folder: Any) -> Any:
        """Return the working directory for a program: the output folder's own where the script means one of the project."""
        name = os.fsdecode(folder)
        whole = os.path.normpath(os.path.join(self.working_folder(), name))
        if not any(is_inside(whole, root) for root in self.roots):
            return whole if os.path.isdir(whole) else folder
        with self.quietly():
            place = os.path.dirname(os.fsdecode(self.for_writing(os.path.join(name, "x"))))
        return place if os.path.isdir(place) else folder

    def command(self, words: Any, cwd: Any = None) -> Any:
        """Return the words of a command, or the line of a shell, with the names of files as the program has to read them."""
        if isinstance(words, str):
            return WORD.sub(lambda word: self._in_line(words, word, cwd), words)
        if not isinstance(words, Sequence) or isinstance(words, bytes):
            return words
        runs = [k == 0 or (k == 1 and _interprets(words[0])) for k in range(len(words))]
        mapped = [self._word(word, run, cwd) for word, run in zip(words, runs, strict=True)]
        if len(words) > 2 and words[1] == "-c" and os.path.basename(words[0]) in ("sh", "bash"):
            mapped[2] = self.command(words[2], cwd)
        return mapped

    def _in_line(self, line: str, word: re.Match[str], cwd: Any) -> str:
        text = word[0].strip("'\"")
        if set(text) & set("*?["):
            for name in glob.glob(text):
                self._word(name, False, cwd)
            return word[0]
        before = line[: word.start()].rstrip()
        found = self._word(text, not before or before[-1] in "|&;(" or _interprets(before.split()[-1]), cwd)
        return word[0] if found == text else shlex.quote(os.fsdecode(found))

    def _word(self, word: Any, runs: bool, cwd: Any) -> Any:
        """Return a word as the program is given it: the path of a file for the name of one; `runs` if it is to be run."""
        if not isinstance(word, str | os.PathLike) or not (name := os.fsdecode(word)) or name == os.curdir or name[0] == "-":
            return word
        if "://" in name:  # an address may end in a name of MNIST's
            return word
        named = name if cwd is None else os.path.join(os.fsdecode(cwd), name)
        exists = os.path.exists(named)
        if not exists and os.sep not in name:
            return word
        with self.quietly():
            source, target = os.fsdecode(self.for_reading(named)), os.fsdecode(self.for_writing(named))
        if not is_inside(target, self.out):
            return word
        if os.path.isdir(source) and is_inside(source, self.out):  # the user may have more in it
            whole = os.path.normpath(os.path.join(self.working_folder(), named))
            if is_inside(self.out, whole):
                return whole
            self._copied(named, source)
        if not is_inside(source, self.out):
            if os.path.isabs(name) and not any(is_inside(source, root) for root in self.roots):
                return word  # the system's
            if exists and (runs or is_inside(self.out, source) or self._is_program(source) or not self._copied(named, source)):
                return source
        elsewhere = os.path.join(os.fsdecode(cwd) if cwd is not None else REAL["getcwd"](), name)
        return word if os.path.normpath(elsewhere) == os.path.normpath(target) else target

    @staticmethod
    def _is_program(source: str) -> bool:
        return os.path.isfile(source) and os.access(source, os.X_OK)

    def _copied(self, name: str, source: str) -> bool:
        """Copy a file, or all files of a folder, into the output folder, unless they are too large for that."""
        files = [name]
        if os.path.isdir(source):
            files = [os.path.join(folder, file) for folder, _, names in os.walk(name) for file in names]
        if sum(os.path.getsize(file) for file in files if os.path.exists(file)) > LARGEST:
            return False
        with self.quietly():
            for file in files:
                self.continued(file, keeps=True)
        return True


def _interprets(word: Any) -> bool:
    return isinstance(word, str) and INTERPRETER.fullmatch(word) is not None
