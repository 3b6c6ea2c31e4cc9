"""No file of the user's is changed, whichever way a script takes to it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ways_of_writing import HEAVY, IN_C, PROGRAMS, PYTHON, REFUSED

pytest.importorskip("fissix")

PRELUDE = """
import _io, array, bz2, codecs, configparser, contextlib, cProfile, csv, ctypes, dbm.dumb, dbm, fileinput, gzip
import http.cookiejar, importlib, io, json, logging.handlers, lzma, mailbox, marshal, mmap, multiprocessing, os, pathlib, pickle
import plistlib, posix, shelve, shutil, sqlite3, subprocess, sys, tarfile, tempfile, threading, time, tracemalloc, wave
import xml.etree.ElementTree, zipapp, zipfile, warnings
import numpy, PIL.Image, scipy.io, scipy.io.wavfile, scipy.sparse
warnings.simplefilter('ignore')
libc = ctypes.CDLL(None)
out = os.getcwd()
def write(name):
    f = open(name, 'w'); f.write('new'); f.close()
    return name
def drop(f):
    f.execute('drop table t'); f.commit(); f.close()
def empty(folder):
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
if __name__ == '__main__':
    told = {}
    for number, (name, lines, p) in enumerate(json.load(open(sys.argv[1]))):
        d, new = os.path.dirname(p), os.path.join(out, 'new%d' % number)
        try:
            exec(lines, globals())
            told[name] = ''
        except Exception as error:
            told[name] = type(error).__name__ + ': ' + str(error)
        os.chdir(out)
    json.dump(told, open('told.json', 'w'))
"""


def _before(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return what is in a folder: contents, times, permissions and the number of names of each file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        contents = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(folder))] = (contents, status.st_mtime_ns, status.st_mode, status.st_nlink, status.st_size)
    return found


def _files(folder: Path) -> Path:
    """Write a folder with a file of each kind that one of the ways wants to find."""
    import numpy as np

    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("what was there\n")
    with sqlite3.connect(folder / "there.db") as database:
        database.execute("create table t (a)")
    database.close()
    np.save(folder / "there.npy", np.zeros(3))
    for name in ("there.npz", "there.mat", "there.mtx", "there.h5"):
        (folder / name).write_bytes(b"what was there")
    return folder / "mine.txt"


class Ways:
    """What came of all ways within one run of one script."""

    def __init__(self, folder: Path, ways: dict[str, str], *, own_process: bool):
        work = folder / "work"
        work.mkdir(parents=True)
        self.folders = {name: work / f"way{number}" for number, name in enumerate(ways)}
        table = [(name, lines, str(_files(self.folders[name]))) for name, lines in ways.items()]
        (work / "ways.json").write_text(json.dumps(table))
        (work / "old.py").write_text(PRELUDE)
        self.before = {name: _before(path) for name, path in self.folders.items()}
        beside = sorted(path.name for path in work.iterdir())
        command = "from symae.cli.main import {0}; import sys; sys.exit({0}())".format("command" if own_process else "main")
        done = subprocess.run(
            [sys.executable, "-c", command, "run", "old.py", str(work / "ways.json")],
            cwd=work, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.told = json.loads((work / "out" / "old" / "told.json").read_text())
        self.err = done.stderr
        self.more = [path.name for path in work.iterdir() if path.name not in (*beside, "out")]

    def check(self, name: str, refused: bool = False) -> None:
        """Check that the file is as it was, and that the script was given what it expects."""
        assert _before(self.folders[name]) == self.before[name], self.told[name]
        if "No module named" in self.told[name] or "Operation not supported" in self.told[name]:
            pytest.skip(self.told[name])
        if refused:
            assert "by a way that symae run cannot redirect" in self.told[name]
        else:
            assert self.told[name] == ""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return Ways(tmp_path_factory.mktemp("seen"), PYTHON | HEAVY | REFUSED, own_process=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    if not _has_landlock():
        pytest.skip("this system has no Landlock")
    return Ways(tmp_path_factory.mktemp("kept"), PYTHON | REFUSED | IN_C | PROGRAMS, own_process=True)


def _has_landlock() -> bool:
    code = "from symae.legacy.landlock import confine; raise SystemExit(0 if confine(['/']) else 1)"
    return (
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).returncode
        == 0
    )


@pytest.mark.parametrize("name", PYTHON | HEAVY)
def test_a_file_stays_and_the_script_goes_on(seen, name):
    seen.check(name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_stays_where_the_script_cannot_go_on(seen, name):
    seen.check(name, refused=True)


@pytest.mark.parametrize("name", PYTHON | REFUSED | IN_C | PROGRAMS)
@pytest.mark.default_mode
def test_a_file_stays_in_a_process_that_gives_up_writing(kept, name):
    assert _before(kept.folders[name]) == kept.before[name], kept.told[name]
    if name in PYTHON and name in kept.told:
        kept.check(name)


@pytest.mark.default_mode
def test_nothing_is_left_beside_the_files(seen, kept):
    assert seen.more == kept.more == []
    assert len(PYTHON | HEAVY | REFUSED | IN_C | PROGRAMS) >= 100
    assert "the script starts another program: it can write in the output folder and temporary ones only" in kept.err


def test_a_script_learns_why_it_cannot_write(tmp_path):
    if not _has_landlock():
        pytest.skip("this system has no Landlock")
    work = tmp_path / "work"
    _files(work)
    before = _before(work)
    (work / "old.py").write_text(
        "import os, sqlite3, tempfile\nprint os.path.dirname(tempfile.mkstemp()[1])\nf = sqlite3.connect(':memory:')\n"
        "f.execute('attach ? as o', (os.path.dirname(os.path.abspath(__file__)) + '/another.db',))\n"
        "f.execute('create table o.t (a)')\n"
    )
    command = [sys.executable, "-m", "symae", "run", "old.py"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    out = work / "out" / "old"
    assert done.returncode == 1
    assert f"symae: {out} and temporary folders are where this run can write\n" in done.stderr
    # The project is in the folder for temporary files: the run has one of its own, which is gone with it.
    assert done.stdout.startswith(f"{out}/.tmp")
    assert [path.name for path in out.iterdir()] == ["report.html"]
    assert {name: one for name, one in _before(work).items() if name.split("/")[0] not in ("out", "old.py")} == before


def test_within_another_process_a_line_says_what_is_not_kept(run):
    result = run("import os, commands\nos.system('true')\ncommands.getoutput('true')\n")
    assert result.err.count("the script starts another program, which symae cannot keep from changing files of yours") == 1
    result = run("import sys, numpy, theano\nprint theano.function([], theano.tensor.as_tensor_variable(1.))()\n")
    assert "another program" not in result.err


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"])
def test_a_project_in_the_folder_of_a_cache_is_the_users(tmp_path, monkeypatch, variable):
    from symae.legacy.confinement import _writable
    from symae.legacy.file_redirection import Files

    monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "work" / "out").mkdir(parents=True)
    files = Files(tmp_path / "work" / "out", tmp_path / "work", tmp_path / "work")
    owners = {name: files.owners.of(os.path.realpath(tmp_path / name)) for name in ("work/mine", "cached", "work/out/x")}
    assert owners == {"work/mine": "user", "cached": "free", "work/out/x": "run"}
    assert files.owners.of(os.path.realpath(tmp_path / "work" / "__pycache__" / "x.pyc")) == "free"
    assert str(tmp_path) not in _writable(files)
