"""What a script leaves open or running comes to its end as in Python, and what that writes is in the output folder."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a script in a process of its own, and returns how that ended."""

    def run(program):
        (tmp_path / "old.py").write_text(textwrap.dedent(program))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "symae", "run", "old.py"]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out" / "old"


def only_results(ended):
    return ended.stderr == "symae: results are in out/old/: open report.html\n"


def test_files_that_are_left_open_have_all_that_was_written(run, folder, tmp_path):
    (tmp_path / "beside.py").write_text("rows = [open('beside.txt', 'w')]\nrows.append(rows)\nrows[0].write('beside.txt')\n")
    ended = run("""
        import theano
        import beside

        class Log(object):
            def __init__(self, name):
                self.file, self.itself = open(name, "w"), self
                self.file.write(name)

            def __del__(self):
                print("gone")

        log, shared = Log("log.txt"), theano.shared(1.0)
        shared.log = Log("of_shared.txt")
    """)
    assert ended.returncode == 0, ended.stderr
    written = {file.name: file.read_text() for file in folder.glob("*.txt")}
    assert written == {name: name for name in ("log.txt", "of_shared.txt", "beside.txt")}
    assert ended.stdout == "gone\ngone\n"


def test_files_of_all_kinds_in_cycles_have_all_that_was_written(run, folder):
    ended = run("""
        import codecs, gzip, io, os, tempfile
        class Kept(object):
            def __init__(self, file, text):
                self.file, self.itself = file, self
                file.write(text)
        named = lambda name: os.open(name, os.O_WRONLY | os.O_CREAT)
        kept = [
            Kept(os.fdopen(named('fdopen.txt'), 'w'), 'x'),
            Kept(io.open(named('descriptor.txt'), 'w'), u'x'),
            Kept(io.BufferedWriter(io.FileIO('layers.txt', 'w')), b'x'),
            Kept(io.TextIOWrapper(io.open('text.txt', 'wb')), u'x'),
            Kept(codecs.open('codecs.txt', 'w', 'utf8'), u'x'),
            Kept(tempfile.NamedTemporaryFile('w', dir='.', suffix='.txt', delete=False), 'x'),
            Kept(gzip.open('packed.gz', 'wb'), b'x'),
        ]
    """)
    assert only_results(ended), ended.stderr
    assert [file.read_text() for file in folder.glob("*.txt")] == ["x"] * 6
    assert gzip.decompress((folder / "packed.gz").read_bytes()) == b"x"


def test_what_is_written_when_objects_go_is_in_the_output_folder(run, folder, tmp_path):
    ended = run("""
        import shelve, weakref
        class Last(object):
            def __init__(self, name):
                self.name, self.itself = name, self
            def __del__(self):
                if hasattr(self, 'file'):
                    self.file.write('end')
                with open(self.name, 'w') as file:
                    file.write('end')
        def finish():
            with open('finished.txt', 'w') as file:
                file.write('end')
        Last('lost.txt')
        last = Last('last.txt')
        last.file = open('open.txt', 'w')
        last.shelf = shelve.open('shelf', writeback=True)
        last.shelf['a'] = []
        last.shelf['a'].append(1)
        weakref.finalize(last, finish)
    """)
    assert only_results(ended), ended.stderr
    names = {"lost.txt", "last.txt", "open.txt", "finished.txt"}
    assert {file.name: file.read_text() for file in folder.glob("*.txt")} == dict.fromkeys(names, "end")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["old.py", "out"]


def test_objects_that_go_find_what_they_were_made_with(run, folder, tmp_path):
    (tmp_path / "beside.py").write_text("import os\ndef away(name):\n    os.remove(name)\n    print('removed')\n")
    ended = run("""
        import beside
        class Temporary(object):
            def __init__(self, name):
                self.name = name
                open(name, 'w').close()
            def __del__(self):
                beside.away(self.name)
        one, others = Temporary('1.txt'), [Temporary('2.txt')]
    """)
    assert ended.stdout == "removed\nremoved\n", ended.stderr
    assert only_results(ended), ended.stderr
    assert not list(folder.glob("*.txt"))


@pytest.mark.parametrize(("ending", "status"), [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_threads_end_before_what_they_use_goes(run, folder, ending, status):
    ended = run(f"""
        import atexit, sys, threading, time
        from concurrent.futures import ThreadPoolExecutor
        @atexit.register
        def bye():
            print('bye')
        def work(name):
            time.sleep(0.3)
            with open(name, 'w') as file:
                file.write('x')
            sys.stdout.write('worked\\n')
            sys.stderr.write('worked\\n')
        pool = ThreadPoolExecutor(1)
        pool.submit(work, 'pool.txt')
        threading.Thread(target=work, args=['thread.txt']).start()
        threading.Timer(0.1, work, ['timer.txt']).start()
        print('main')
        {ending}
    """)
    assert (ended.returncode, ended.stdout) == (status, "main\nworked\nworked\nworked\nbye\n"), ended.stderr
    *told, one, two, three, _ = ended.stderr.splitlines()
    assert [one, two, three] == ["worked"] * 3
    assert any("ZeroDivisionError" in line for line in told) == (status == 1)
    assert {file.name: file.read_text() for file in folder.glob("*.txt")} == dict.fromkeys(
        ["pool.txt", "thread.txt", "timer.txt"], "x"
    )


def test_daemons_end_in_silence(run):
    ended = run("""
        import threading, time
        def work():
            while True:
                time.sleep(0.001)
        for i in range(4):
            thread = threading.Thread(target=work)
            thread.daemon = True
            thread.start()
        time.sleep(0.1)
    """)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert only_results(ended), ended.stderr


def test_ctrl_c_ends_a_wait_for_threads(tmp_path):
    (tmp_path / "old.py").write_text(
        "import sys, threading, time\ndef work():\n    while True:\n        time.sleep(0.01)\n"
        "threading.Thread(target=work).start()\nprint('main')\nsys.stdout.flush()\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "symae", "run", "old.py"]
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "main\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[0]) == (130, "interrupted")
