"""Paths as texts, bytes, descriptors and links lead a script to the same files as they would without symae."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from symae.legacy.path_mapping import Places

pytest.importorskip("fissix")


def _printed(result) -> list[str]:
    assert result.status == 0, result.err
    return result.out.splitlines()


def test_paths_may_be_bytes(run, tmp_path):
    (tmp_path / "work" / "mine.txt").write_text("mine")
    result = run("""
        import os, io, shutil
        here = os.path.dirname(os.path.abspath(__file__)).encode()
        for name in (b'a.txt', here + b'/mine.txt'):
            open(name, 'a').write('+')
            print open(name).read(), os.stat(name).st_size, os.path.isfile(name)
            os.chmod(name, 0o600); os.utime(name, (1, 1)); os.rename(name, b'b.txt')
            os.remove(b'b.txt')
        open(b'c', 'w').close(); os.mkdir(b'd'); os.symlink(b'c', b'e'); os.link(b'c', b'f')
        print sorted(os.listdir(b'.')), os.readlink(b'e'), [e.name for e in os.scandir(b'd')]
        os.truncate(b'c', 0); os.unlink(b'e'); shutil.rmtree(b'd'); os.chdir(here); print os.path.exists(b'mine.txt')
        try:
            os.remove(here + b'/nothing')
        except OSError as error:
            print error.errno
    """)
    assert _printed(result) == [
        "+ 1 True",
        "mine+ 5 True",
        "[b'c', b'd', b'e', b'f', b'old.py'] c []",
        "False",
        "2",
    ]
    assert (tmp_path / "work" / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in result.folder.iterdir()) == ["c", "f", "report.html"]


def test_paths_may_be_descriptors_and_relative_to_one(run, tmp_path):
    (tmp_path / "work" / "plots").mkdir()
    (tmp_path / "work" / "plots" / "mine.txt").write_text("mine")
    result = run("""
        import os, shutil
        here = os.path.dirname(os.path.abspath(__file__))
        folder = os.open(os.path.join(here, 'plots'), os.O_RDONLY)
        f = os.open('mine.txt', os.O_WRONLY | os.O_TRUNC, dir_fd=folder)
        os.write(f, b'new'); os.close(f)
        print open('plots/mine.txt').read(), os.stat('mine.txt', dir_fd=folder).st_size
        os.rename('mine.txt', 'other.txt', src_dir_fd=folder, dst_dir_fd=folder)
        print open(here + '/plots/other.txt').read(), sorted(os.listdir('plots'))
        os.mkdir('deep', dir_fd=folder); os.symlink('x', 'link', dir_fd=folder)
        print os.path.isdir('plots/deep'), os.readlink('plots/link')
        os.unlink('link', dir_fd=folder); os.rmdir('deep', dir_fd=folder)
        print [sorted(names) for _, _, names, _ in os.fwalk('plots')]
        f = os.open('plots/other.txt', os.O_RDWR); os.truncate(f, 1); os.chmod(f, 0o600); os.utime(f, (1, 1))
        print os.fstat(f).st_size, os.stat(f).st_mtime, oct(os.stat(f).st_mode)[-3:]
    """)
    assert _printed(result) == ["new 3", "new ['other.txt']", "True x", "[['other.txt']]", "1 1.0 600"]
    assert [path.name for path in (tmp_path / "work" / "plots").iterdir()] == ["mine.txt"]
    assert (tmp_path / "work" / "plots" / "mine.txt").read_text() == "mine"


def test_a_file_that_was_there_can_be_truncated_without_being_created(run, tmp_path):
    (tmp_path / "work" / "mine.txt").write_text("mine")
    result = run("""
        import os
        for flags in (os.O_WRONLY | os.O_TRUNC, os.O_WRONLY, os.O_RDWR | os.O_APPEND):
            f = os.open('mine.txt', flags); os.write(f, b'n'); os.close(f)
            print open('mine.txt').read()
        try:
            os.open('nothing.txt', os.O_WRONLY | os.O_TRUNC)
        except OSError as error:
            print error.errno
        for opened in (lambda: open('mine.txt', 'x'), lambda: os.open('mine.txt', os.O_CREAT | os.O_EXCL)):
            try:
                opened()
            except OSError as error:
                print error.errno
    """)  # fmt: skip
    assert _printed(result) == ["n", "n", "nn", "2", "17", "17"]
    assert (tmp_path / "work" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("flag", ["n", "c", "w"])
def test_a_shelf_is_made_anew_or_gone_on_with(run, tmp_path, flag):
    run("import shelve\nf = shelve.open('old', 'n')\nf['a'] = 1\nf.close()\n", name="first.py")
    for path in (tmp_path / "work" / "out" / "first").glob("old*"):
        path.rename(tmp_path / "work" / path.name)
    before = {path.name: path.read_bytes() for path in (tmp_path / "work").glob("old*")}
    result = run(f"import shelve\nf = shelve.open('old', '{flag}')\nf['b'] = 2\nprint sorted(f.keys())\nf.close()\n"
                 "f = shelve.open('old')\nprint sorted(f.keys())\n", name="second.py")  # fmt: skip
    keys = "['b']" if flag == "n" else "['a', 'b']"
    assert _printed(result) == [keys, keys]
    assert {path.name: path.read_bytes() for path in (tmp_path / "work").glob("old*")} == before


def test_relative_paths_after_the_working_directory_has_moved(run, tmp_path):
    work = tmp_path / "work"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("x")
    (tmp_path / "y.txt").write_text("y")
    (work / "z.txt").write_text("z")
    (work / "plots").mkdir()
    result = run("""
        import os, glob
        os.chdir('..')
        print open('data/x.txt').read(), open('y.txt').read(), open('work/z.txt').read(), open('./work/../y.txt').read()
        print os.path.exists(os.path.abspath('y.txt')), glob.glob('data/*'), 'y.txt' in os.listdir('.'), os.path.exists('z.txt')
        open('y.txt', 'a').write('+'); open('new.txt', 'w').write('new'); open('work/z.txt', 'a').write('+')
        print open('y.txt').read(), open('new.txt').read(), open('work/z.txt').read()
        os.chdir('data')
        print open('x.txt').read(), os.listdir('.'), open('../y.txt').read(), open('../work/z.txt').read()
        os.chdir('../work')
        print open('z.txt').read(), open('../data/x.txt').read(), open('../new.txt').read()
        os.chdir('plots'); open('p.txt', 'w').write('p'); os.chdir('..')
        print open('plots/p.txt').read(), open('z.txt').read()
        os.chdir(os.path.dirname(os.path.abspath(__file__)))
        print open('z.txt').read(), open('plots/p.txt').read()
        os.chdir(os.pardir + '/data'); os.chdir(os.pardir); os.chdir('work/plots')
        print open('p.txt').read(), open('../z.txt').read(), open('../../data/x.txt').read()
    """)
    assert _printed(result) == [
        "x y z y",
        "True ['data/x.txt'] True False",
        "y+ new z+",
        "x ['x.txt'] y+ z+",
        "z+ x new",
        "p z+",
        "z+ p",
        "p z+ x",
    ]
    assert ((tmp_path / "y.txt").read_text(), (work / "z.txt").read_text(), (tmp_path / "new.txt").exists()) == (
        "y",
        "z",
        False,
    )
    assert not list((work / "plots").iterdir())


def test_a_folder_outside_the_project_is_worked_in(run, tmp_path):
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    (other / "x.txt").write_text("x")
    (other / "deep" / "y.txt").write_text("y")
    result = run(f"""
        import os
        os.chdir({str(other)!r})
        open('x.txt', 'a').write('+'); open('new.txt', 'w').write('new')
        print open('x.txt').read(), open('new.txt').read(), sorted(os.listdir('.'))
        os.chdir('deep')
        print open('y.txt').read(), open('../x.txt').read(), open('../new.txt').read()
        os.makedirs({str(tmp_path / "another" / "one")!r})
        os.chdir({str(tmp_path / "another")!r})
        open('one/z.txt', 'w').write('z')
        print open({str(tmp_path / "another" / "one" / "z.txt")!r}).read(), os.listdir('.')
    """)
    assert _printed(result) == ["x+ new ['deep', 'new.txt', 'x.txt']", "y x+ new", "z ['one']"]
    assert (other / "x.txt").read_text() == "x"


def test_what_is_written_through_a_link_is_read_by_every_name(run, tmp_path):
    (tmp_path / "work" / "mine.txt").write_text("mine")
    (tmp_path / "work" / "plots").mkdir()
    result = run("""
        import os
        here = os.path.dirname(os.path.abspath(__file__))
        os.symlink('mine.txt', 'relative'); os.symlink(here + '/mine.txt', 'whole'); os.symlink(here + '/plots', 'folder')
        os.link('mine.txt', 'copy')
        print open('relative').read(), os.path.islink('whole'), os.readlink('relative'), os.stat('whole').st_size
        open('whole', 'a').write('+'); open('folder/p.txt', 'w').write('p')
        print [open(name).read() for name in ('whole', 'relative', 'mine.txt', here + '/mine.txt', 'copy')]
        print open(here + '/plots/p.txt').read(), os.listdir('folder')
        open('a', 'w').write('a'); os.link('a', 'b'); open('a', 'a').write('+')
        print open('b').read(), os.path.samefile('a', 'b')
        os.remove('whole')
        print os.path.lexists('whole'), os.path.exists('mine.txt')
    """)
    assert _printed(result) == [
        "mine True mine.txt 4",
        "['mine+', 'mine+', 'mine+', 'mine+', 'mine']",
        "p ['p.txt']",
        "a+ True",
        "False True",
    ]
    assert (tmp_path / "work" / "mine.txt").read_text() == "mine"
    assert not list((tmp_path / "work" / "plots").iterdir())


def test_a_link_of_the_users_leads_to_the_same_file_as_its_target(run, tmp_path):
    work = tmp_path / "work"
    (work / "mine.txt").write_text("mine")
    (work / "alias").symlink_to("mine.txt")
    (tmp_path / "far.txt").write_text("far")
    (work / "far").symlink_to(tmp_path / "far.txt")
    result = run("""
        import os
        open('alias', 'a').write('+')
        print open('mine.txt').read(), open('alias').read(), os.path.islink('alias'), os.path.samefile('alias', 'mine.txt')
        open('mine.txt', 'a').write('+')
        print open('alias').read()
        open('far', 'a').write('+')
        print open('far').read()
        os.remove('alias')
        print os.path.lexists('alias'), open('mine.txt').read()
    """)
    assert _printed(result) == ["mine+ mine+ True True", "mine++", "far+", "False mine++"]
    assert (work / "mine.txt").read_text() == (work / "alias").read_text() == "mine"
    assert (tmp_path / "far.txt").read_text() == "far"


def test_a_project_in_a_virtual_environment_is_the_users(run, tmp_path, monkeypatch):
    work = tmp_path / "work"
    (work / "mine.txt").write_text("mine")
    (work / "lib").mkdir()
    (work / "lib" / "mine.txt").write_text("mine")
    for name in ("prefix", "exec_prefix"):
        monkeypatch.setattr(f"sys.{name}", str(work))
    result = run("""
        import os, sys
        for name in ('mine.txt', 'lib/mine.txt', 'new.txt'):
            open(os.path.join(sys.prefix, name), 'w').write('new')
        os.remove(os.path.join(sys.prefix, 'mine.txt'))
    """)
    assert result.status == 0, result.err
    assert [(work / name).read_text() for name in ("mine.txt", "lib/mine.txt")] == ["mine", "mine"]
    assert not (work / "new.txt").exists()


def test_a_database_is_gone_on_with_in_a_copy(run, tmp_path):
    with sqlite3.connect(tmp_path / "work" / "runs 1.db") as database:
        database.execute("create table t (a)")
    database.close()
    before = (tmp_path / "work" / "runs 1.db").read_bytes()
    lines = "import sqlite3\nf = sqlite3.connect('runs 1.db')\nf.execute('insert into t values (7)')\nf.commit()\nf.close()\n"
    more = (
        "f = sqlite3.connect('file:runs%201.db?mode=ro', uri=True)\nprint f.execute('select a from t').fetchall()\nf.close()\n"
    )
    last = "f = sqlite3.connect('file://' + os.path.dirname(os.path.abspath(__file__)) + '/runs%201.db', uri=True)\n"
    last += "f.execute('insert into t values (8)')\nf.commit()\nprint f.execute('select a from t').fetchall()\nf.close()\n"
    assert _printed(run("import os\n" + lines + more + last)) == ["[(7,)]", "[(7,), (8,)]"]
    assert (tmp_path / "work" / "runs 1.db").read_bytes() == before


def test_files_that_a_script_leaves_open_are_whole_when_it_has_ended(run, tmp_path):
    (tmp_path / "work" / "parts.py").write_text("f = open('left too.txt', 'w')\nf.write('whole')\ndef again(): return f\n")
    result = run("import parts\nf = open('left.txt', 'w')\nf.write('whole')\ndef again(): return f\n")
    assert result.status == 0, result.err
    assert [(result.folder / name).read_text() for name in ("left.txt", "left too.txt")] == ["whole", "whole"]


def test_a_temporary_file_that_was_there_is_the_users(run, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    (folder / "mine.txt").write_text("mine")
    result = run(f"""
        import os, tempfile
        for name in ('mine.txt', 'new.txt'):
            open({str(folder)!r} + '/' + name, 'w').write('new')
            print open({str(folder)!r} + '/' + name).read()
        os.remove({str(folder)!r} + '/mine.txt')
        print os.path.dirname(tempfile.mkstemp()[1]) == {str(folder)!r}
    """)
    assert _printed(result) == ["new", "new", "True"]
    assert (folder / "mine.txt").read_text() == "mine"
    assert (folder / "new.txt").read_text() == "new"


def test_what_a_script_removes_is_gone_for_it_and_for_nobody_else(run, tmp_path):
    (tmp_path / "work" / "plots").mkdir()
    for name in ("mine.txt", "log.txt", "moved.txt", "plots/p.txt"):
        (tmp_path / "work" / name).write_text("mine")
    result = run("""
        import os, shutil
        here = os.path.dirname(os.path.abspath(__file__))
        open('log.txt', 'a').write('+')
        os.remove('mine.txt'); os.remove(here + '/log.txt'); os.rename('moved.txt', 'new.txt')
        try:
            os.rmdir('plots')
        except OSError as error:
            print error.errno
        shutil.rmtree('plots')
        print map(os.path.exists, ['mine.txt', here + '/mine.txt', 'log.txt', 'moved.txt', 'plots', 'plots/p.txt'])
        print sorted(os.listdir('.')), sorted(os.listdir(here)), open('new.txt').read()
        for name in ('mine.txt', here + '/mine.txt'):
            try:
                open(name)
            except IOError as error:
                print error.errno
        os.mkdir('plots')
        print os.listdir('plots')
        open('mine.txt', 'a').write('new')
        print open(here + '/mine.txt').read()
    """)
    left = "['new.txt', 'old.py']"
    assert _printed(result) == ["39", str([False] * 6), f"{left} {left} mine", "2", "2", "[]", "new"]
    assert [(tmp_path / "work" / name).read_text() for name in ("mine.txt", "log.txt", "moved.txt", "plots/p.txt")] == [
        "mine"
    ] * 4


def test_functions_are_pythons_own_again_after_a_run(run):
    before = open, os.open, os.remove, os.stat, Path.open
    assert run("import os\nkept = open, os.remove\nopen('a', 'w').close()\n").status == 0
    assert (open, os.open, os.remove, os.stat, Path.open) == before


@pytest.mark.parametrize("inside", [True, False], ids=["a virtual environment in the project", "one elsewhere"])
def test_what_is_installed_is_read_where_it_is_until_the_run_changes_it(tmp_path, monkeypatch, inside):
    work = tmp_path / "work"
    installed = (work / ".venv" if inside else tmp_path / "venv") / "lib"
    out = work / "out" / "old"
    for folder in (out, installed):
        folder.mkdir(parents=True)
    for name in ("a", "b"):
        (installed / name).write_text("installed")
    monkeypatch.setattr("sys.prefix", str(installed.parent))
    places = Places(out, work, work, say=lambda line: None)
    a, b = str(installed / "a"), str(installed / "b")
    looked_for = []
    with monkeypatch.context() as watched:
        watched.setattr(places, "places", looked_for.append)
        assert places.for_reading(a) is a
    assert not looked_for
    changed = Path(places.for_writing(a))
    assert changed != Path(a)
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text("mine")
    assert Path(places.for_reading(a)).read_text() == "mine"
    assert places.for_reading(b) == b


def test_what_is_installed_and_removed_is_gone_for_the_script(tmp_path, monkeypatch):
    installed, out = tmp_path / "venv", tmp_path / "work" / "out" / "old"
    for folder in (out, installed):
        folder.mkdir(parents=True)
    (installed / "a").write_text("installed")
    monkeypatch.setattr("sys.prefix", str(installed))
    places = Places(out, tmp_path / "work", tmp_path / "work", say=lambda line: None)
    places.hide(installed / "a")
    assert not Path(places.for_reading(str(installed / "a"))).exists()


def test_a_script_among_what_is_installed_has_no_folders_that_are_read_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    (tmp_path / "out").mkdir()
    places = Places(tmp_path / "out", tmp_path, tmp_path / "lib", say=lambda line: None)
    assert not any(name.startswith(str(tmp_path)) for name in places._installed)
