"""Programs that a script starts: the files that their words name are those that the script sees.

They run in the output folder, and what they write by a relative name is there. A file of the user's that a word names is copied
there before, because a program may change what it is given; a program, and a source for an interpreter, is run where it lies.
What they have removed of it is gone for the script too.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from symae.errors import UnwritableError
from symae.legacy.copies import Copies
from symae.legacy.owners import is_inside, is_there
from symae.legacy.path_mapping import REAL

__all__ = ["Programs"]

# Words of a shell's line: quoted or not, without what joins commands and redirects.
WORD = re.compile(r"""'[^']*'|"[^"$`]*"|[^\s'"|&;<>()`$=]+""")
INTERPRETER = re.compile(r"(?:.*/)?(?:python|sh|bash|perl|ruby|node)[\d.]*")
REDIRECTS = re.compile(r"[<>]+[&|]?$")
STARTS = re.compile(rf"(?:^|[|&;(])\s*(?:{INTERPRETER.pattern})?$")
OPTION = re.compile(r"(-{0,2}\w[\w-]*=)(\S+)")
LARGEST = 1 << 28  # bytes that are copied
MOST = 10_000  # files


class Programs(Copies):
    """Map the names among the words that other programs are started with."""

    is_confined = False  # whether the system keeps programs from writing to the user's files

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
            return function(self._word(program, "runs", None), self.command(rest[0]), *rest[1:], **more)

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
        mapped = [self._word(word, "runs" if run else "", cwd) for word, run in zip(words, runs, strict=True)]
        if len(words) > 2 and words[1] == "-c" and os.path.basename(words[0]) in ("sh", "bash"):
            mapped[2] = self.command(words[2], cwd)
        return mapped

    def _in_line(self, line: str, word: re.Match[str], cwd: Any) -> str:
        text = word[0].strip("'\"")
        if set(text) & set("*?[") and word[0] == text and "://" not in text:
            names = sorted(glob.glob(text, root_dir=cwd))
            found = [shlex.quote(os.fsdecode(self._word(name, "", cwd))) for name in names]
            if os.path.isabs(text) or os.path.normpath(text).startswith(os.pardir):  # not to be looked for by the shell
                return " ".join(found) or shlex.quote(text)
            return word[0]
        before = line[: word.start()].rstrip()
        arrow = REDIRECTS.search(before)
        use = (arrow[0].strip("&| ") if arrow else "") or ("runs" if STARTS.search(before) else "")
        mapped = self._word(text, use, cwd)
        return word[0] if mapped == text else shlex.quote(os.fsdecode(mapped))

    def _word(self, word: Any, use: str, cwd: Any) -> Any:
        """Return a word as the program is given it: the path of a file for the name of one.

        `use` is "runs" for what is run, "<" for what a shell reads, ">" or another with that for what it writes.
        """
        if not isinstance(word, str | os.PathLike) or not (name := os.fsdecode(word)) or "://" in name:
            return word  # an address may end in a name of MNIST's
        if isinstance(word, str) and (option := OPTION.fullmatch(name)) and not os.path.exists(name):
            return f"{option[1]}{self._word(option[2], use, cwd)}"
        if name in (os.curdir, os.sep) or name[0] == "-":
            return word
        named = name if cwd is None else os.path.join(os.fsdecode(cwd), name)
        exists = os.path.exists(named)
        if not exists and os.sep not in name:
            return word
        with self.quietly():
            source, target = os.fsdecode(self.for_reading(named)), os.fsdecode(self.for_writing(named))
        if not is_inside(target, self.out):
            return word
        if not is_inside(source, self.out):
            systems = os.path.isabs(name) and source == name and not any(is_inside(source, root) for root in self.roots)
            if systems and ">" not in use:
                return word
            if exists and use == "runs":
                return source
        if exists and not self._copied(named, source):
            if use == "<" or self.is_confined:
                return source
            raise UnwritableError(name, "for a program, more than symae run copies", "it opened by the script, or smaller")
        elsewhere = os.path.join(os.fsdecode(cwd) if cwd is not None else REAL["getcwd"](), name)
        return word if os.path.normpath(elsewhere) == os.path.normpath(target) else target

    def _copied(self, name: str, source: str) -> bool:
        """Copy a file, or all that is in a folder except the output folder, into that one; return False if it is too much."""
        folders, files, size = [], [name], 0
        if os.path.isdir(source):
            files = []
            for folder, _, names in os.walk(name):
                folders.append(folder)
                files += [os.path.join(folder, file) for file in names]
                size += sum(os.path.getsize(file) for file in files[len(files) - len(names) :] if os.path.exists(file))
                if size > LARGEST or len(files) > MOST:
                    return False
        elif not is_inside(source, self.out) and os.path.getsize(name) > LARGEST:
            return False
        with self.quietly():
            for at in (*folders, *files):
                with suppress(PermissionError):  # nor can the program read it
                    self.give(at, os.fsdecode(self.continued(at, keeps=True)))
            for folder in folders[1:]:
                above, copy = (os.fsdecode(self.for_writing(at)) for at in (os.path.dirname(folder), folder))
                with self._once():
                    if not is_there(link := os.path.join(above, os.path.basename(folder))):  # the project is the output folder
                        os.symlink(copy, link)
        return True


def _interprets(word: Any) -> bool:
    return isinstance(word, str) and INTERPRETER.fullmatch(word) is not None
