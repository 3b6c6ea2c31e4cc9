"""A script finds what lies where it lies, whoever asks for it, and what is written goes to the output folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from numpy.linalg import lapack_lite

pytest.importorskip("fissix")


@pytest.fixture
def project(tmp_path):
    """Lay files in the script's folder, `work`, and above it."""
    (tmp_path / "work" / "data").mkdir(parents=True, exist_ok=True)
    for name, text in {
        "d.csv": "5,6\n",
        "above.py": "def half(n):\n    return n / 2\n",
        "work/d.csv": "1,2\n3,4\n",
        "work/data/e.csv": "7,8\n",
        "work/lib/inner.py": "x = 3 / 2\n",
        "work/tool.py": "import sys\nprint(open(sys.argv[1]).read().strip())\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def before(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "out" not in path.parts}


def test_names_made_of_the_working_directory(run, project):
    result = run("""
        import os, numpy, pathlib
        here = os.path.dirname(os.path.abspath(__file__))
        out = os.getcwd()
        print os.getcwdu() == out, os.getcwdb() == out.encode(), str(pathlib.Path.cwd()) == out, out == DATA[:-1]
        print open(os.path.abspath('../d.csv')).read(), open(os.getcwd() + '/d.csv').readline(), open('../d.csv').read()
        print numpy.loadtxt('d.csv', delimiter=','), numpy.genfromtxt('../d.csv', delimiter=',').tolist()
        print numpy.fromfile(os.path.abspath('data/e.csv'), sep=',').tolist(), os.path.exists(os.path.abspath('../work'))
        open(os.path.abspath('new.txt'), 'w').write('new'); open('../d.csv', 'a').write('+')
        print open('new.txt').read(), open(os.path.abspath('../d.csv')).read(), open('d.csv').readline()
        os.chdir('data')
        print os.path.relpath(os.getcwd(), out), open('e.csv').read(), open(os.path.abspath('../new.txt')).read()
        os.chdir(out); open('again.txt', 'w').write('+'); print open('d.csv').readline(), open('../d.csv').read()
        from multiprocessing import spawn
        print os.getcwd() == out, spawn.get_preparation_data('a process')['dir'] == os.path.realpath(DATA)
    """)
    assert (result.status, result.out) == (
        0,
        "True True True True\n5,6\n1,2\n5,6\n\n[[ 1.  2.]\n [ 3.  4.]] [5.0, 6.0]\n[7.0, 8.0] True\n"
        "new 5,6\n+ 1,2\n\ndata 7,8\nnew\n1,2\n5,6\n+\nTrue True\n",
    ), result.err
    assert (result.folder / "new.txt").is_file()
    assert (result.folder / "again.txt").is_file()


WAYS_UP = [
    "'../d.csv'",
    "os.path.abspath('../d.csv')",
    "os.path.realpath('../d.csv')",
    "os.path.join(os.getcwd(), '..', 'd.csv')",
    "os.path.join(os.path.abspath('..'), 'd.csv')",
    "os.path.join(os.path.dirname(os.getcwd()), 'd.csv')",
    "str(pathlib.Path('../d.csv').resolve())",
    "str(pathlib.Path.cwd().parent / 'd.csv')",
    "os.path.relpath(os.path.join(here, '..', 'd.csv'))",
    "os.path.abspath('../near/data/d.csv')",
    "os.path.abspath('../../top.csv')",
]


@pytest.mark.parametrize("options", [(), ("--out", "results"), ("--out", "../results")])
def test_names_that_lead_up(run, project, options):
    (project / "near" / "data").mkdir(parents=True)
    (project / "near" / "data" / "d.csv").write_text("5,6\n")
    (project.parent / "top.csv").write_text("5,6\n")
    kept = before(project)
    ways = [way for way in WAYS_UP if not options or "join(os.getcwd()" in way or way.startswith("'")]
    result = run(
        f"""
        import os, pathlib, glob, sys
        here = os.path.dirname(os.path.abspath(__file__))
        for name in [{", ".join(ways)}]:
            print open(name).read().strip() == '5,6' or name,
            open(name, 'a').write('+')
            print open(name).read().strip() == '5,6\\n+' or name, os.path.isfile(name) or name
            os.remove(name)
            print 'top' not in name and os.path.exists(name) and name
            if 'near' not in name and 'top' not in name:
                open(name, 'w').write('5,6\\n')
        print sorted(set(os.listdir('..')) - {{'cache', 'results'}})
        """,
        options=options,
    )
    lines = result.out.splitlines()
    assert (result.status, set(lines[:-1])) == (0, {"True True True", "False"}), result.out + result.err
    assert lines[-1] == "['above.py', 'd.csv', 'near', 'work']"
    assert {
        path: text for path, text in before(project).items() if path.name != "old.py" and "results" not in path.parts
    } == kept


@pytest.mark.parametrize("up", ["..", "../..", "../near"])
@pytest.mark.parametrize(
    "entry", ["{!r}", "os.path.abspath({!r})", "os.path.join(os.getcwd(), {!r})", "os.path.realpath({!r})"]
)
def test_folders_of_modules_that_lie_above(run, project, up, entry):
    (project / "near").mkdir()
    folder = (project / "work" / up).resolve()
    name = f"found_{len(up)}"
    (folder / f"{name}.py").write_text("half = 7 / 2\n")
    result = run(f"import sys, os\nsys.path.append({entry.format(up)})\nimport {name}\nprint {name}.half\n")
    assert (result.status, result.out) == (0, "3\n"), result.err


def test_what_opens_files_in_c_writes_into_the_output_folder(run, project):
    (project / "work" / "picture.png").write_bytes(b"mine")
    kept = before(project)
    result = run("""
        import ctypes, os, pathlib
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        libc.fclose.argtypes = [ctypes.c_void_p]
        names = 'picture.png', os.path.join(os.getcwd(), 'picture.png'), os.path.abspath('picture.png')
        for name in (*names, str(pathlib.Path('picture.png').resolve()), os.getcwdb() + b'/picture.png'):
            file = libc.fopen(os.fsencode(name), b'w')
            print bool(file), libc.fclose(file)
    """)
    assert (result.status, result.out) == (0, "True 0\n" * 5), result.err
    assert {path: text for path, text in before(project).items() if path.name != "old.py"} == kept
    assert (result.folder / "picture.png").read_bytes() == b""


def test_files_that_are_opened_in_c(run, project):
    shutil.copy(lapack_lite.__file__, project / "lapack.so")
    (project / "work" / "part.py").write_text("x = 3\n")
    result = run("""
        import ctypes, importlib.util
        print ctypes.CDLL('../lapack.so')._name == ctypes.cdll.LoadLibrary('./../lapack.so')._name, ctypes.CDLL(None)._name
        spec = importlib.util.spec_from_file_location('part', 'part.py')
        part = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(part)
        print part.x
    """)
    assert (result.status, result.out) == (0, "True None\n3\n"), result.err


def test_folders_of_modules_by_relative_names(run, project):
    kept = before(project)
    result = run("""
        import sys, os
        sys.path.append('..'); import above
        sys.path.insert(0, os.path.abspath('lib')); import inner
        open('made.py', 'w').write('y = 7 / 2')
        import made
        print above.half(7), inner.x, made.y
    """)
    assert (result.status, result.out) == (0, "3 1 3\n"), result.err
    assert before(project) == {**kept, project / "work" / "old.py": (project / "work" / "old.py").read_bytes()}


def test_a_script_that_is_run_from_elsewhere(run, project):
    (project / "work" / "code").mkdir()
    (project / "work" / "code" / "beside.txt").write_text("beside")
    result = run(
        """
        import os
        print open('beside.txt').read(), open(os.path.abspath('beside.txt')).read(), open(os.path.abspath('d.csv')).readline()
        os.chdir(os.path.dirname(os.path.abspath(__file__)))
        print os.path.basename(os.getcwd()), open('beside.txt').read(), open('../d.csv').readline()
        """,
        name="code/old.py",
    )
    assert (result.status, result.out) == (0, "beside beside 1,2\n\ncode beside 1,2\n\n"), result.err


@pytest.mark.filterwarnings("ignore:os.fork")  # os.spawnv does, for a moment
def test_programs_read_what_the_script_sees(run, project):
    kept = before(project)
    result = run("""
        import os, subprocess, sys, commands
        out = lambda *words, **more: subprocess.check_output(words, **more).decode().strip()
        print out('cat', 'd.csv'), out('cat', '../d.csv'), out('cat', os.path.abspath('data/e.csv')), out('ls', 'data')
        print commands.getoutput('cat < d.csv | sort -r; cat "data/e.csv"'), os.popen('cat *.csv').read().strip()
        print out('sh', '-c', 'cat d.csv'), out('cat', 'e.csv', cwd='data'), out(sys.executable, 'tool.py', '../d.csv')
        open('d.csv', 'a').write('new'); os.system('cp d.csv copy.csv'); os.system('rm d.csv data/e.csv')
        print open('copy.csv').read(), out('sort', '-r', 'copy.csv', '-o', 'copy.csv'), open('copy.csv').readline()
        open('data/mine', 'w').close(); print out('ls', 'data'), 'work' in out('ls', '..')
        os.spawnv(os.P_WAIT, '/bin/cp', ['cp', 'data/../tool.py', 'tool.txt']); print open('tool.txt').readline()
    """)
    assert (result.status, result.out) == (
        0,
        "1,2\n3,4 5,6 7,8 e.csv\n3,4\n1,2\n7,8 1,2\n3,4\n1,2\n3,4 7,8 5,6\n1,2\n3,4\nnew  new\n\nmine True\nimport sys\n\n",
    ), result.err
    assert {path: text for path, text in before(project).items() if path.name != "old.py"} == kept
    assert {"copy.csv", "tool.txt"} <= {path.name for path in result.folder.iterdir()}


COMMANDS = [
    "os.system('echo x >> data.txt')",
    "os.system('echo x >| data.txt')",
    "os.system('echo x >& data.txt')",
    "os.system('> data.txt echo x')",
    "os.system('echo sh; echo sh >> data.txt')",
    "os.system('tee -a data.txt < d.csv')",
    "os.system('echo python | tee python data.txt')",
    "os.system('echo x >> ' + here + '/data.txt')",
    "os.system('echo x >> ' + os.path.abspath('../data.txt'))",
    "os.system('echo x >> ' + far)",
    "os.system('rm ' + here + '/*.txt ../*.txt')",
    "os.system('cp d.csv ..; cp d.csv ./; cp d.csv ' + here + '/data/e.csv')",
    "os.system('touch ../new ' + here + '/new')",
    "subprocess.call(['cp', 'd.csv', here])",
    "subprocess.call(['rm', '-r', '..'])",
    "subprocess.call(['rm', '-r', here])",
    "subprocess.call(['dd', 'if=d.csv', 'of=' + here + '/data.txt'])",
    "subprocess.call(['sort', '-o', 'data.txt', 'd.csv'])",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("most", [1 << 28, 3])
def test_programs_change_copies(run, project, monkeypatch, command, most):
    monkeypatch.setattr("symae.legacy.programs.LARGEST", most)
    far = project / "far" / "data.txt"
    far.parent.mkdir()
    for path in (project / "work" / "data.txt", project / "data.txt", far):
        path.write_text("what was there\n")
        path.chmod(0o755)
    kept = before(project)
    result = run(f"""
        import os, subprocess
        here, far = os.path.dirname(os.path.abspath(__file__)), {str(far)!r}
        {command}
    """)
    assert {path: text for path, text in before(project).items() if path.name != "old.py"} == kept
    if most == 3 and result.status:
        assert result.status == 2
        assert "for a program, more than symae run copies" in result.err
    else:
        assert result.status == 0, result.err


def test_programs_read_what_is_too_large_to_copy(run, project, monkeypatch):
    monkeypatch.setattr("symae.legacy.programs.LARGEST", 3)
    result = run("import os, commands\nprint commands.getoutput('cat < d.csv')\nos.system('sort d.csv')\n")
    assert (result.status, result.out) == (2, "1,2\n3,4\n"), result.err
    assert result.err.splitlines()[-2].startswith("symae: error: old.py, line 3: d.csv: found for a program, more than")


def test_what_a_program_has_removed_is_gone(run, project):
    kept = before(project)
    result = run("""
        import os, subprocess, commands
        open('d.csv', 'a').write('+')
        os.system('rm d.csv; mv tool.py moved.py'); subprocess.call(['rm', '-r', 'data', '../d.csv'])
        print [os.path.exists(name) for name in ('d.csv', 'tool.py', 'moved.py', 'data', 'data/e.csv', '../d.csv')]
        print sorted(set(os.listdir('.')) - {'old.py'}), commands.getoutput('ls d.csv data 2>&1 | wc -l')
        open('d.csv', 'w').write('mine'); print open('d.csv').read()
    """)
    assert (result.status, result.out) == (
        0,
        "[False, False, True, False, False, False]\n['lib', 'moved.py'] 2\nmine\n",
    ), result.err
    assert {path: text for path, text in before(project).items() if path.name != "old.py"} == kept


def test_words_that_name_nothing_make_no_folders(run, project):
    (project / "work" / "plots").mkdir()
    result = run("""
        import os, subprocess
        os.system("sed '/two/d' d.csv > /dev/null; sed -e 's/a/b/' -e '/etc/d' < d.csv | tr / x")
        subprocess.call(['echo', '/usr/x', '/nowhere/at/all', 'plots/x', 'nothing/x'])
        os.system('cp d.csv plots/copy.csv')
    """)
    assert result.status == 0, result.err
    found = sorted(str(path.relative_to(result.folder)) for path in result.folder.rglob("*"))
    assert found == ["d.csv", "plots", "plots/copy.csv", "report.html"]


@pytest.mark.parametrize(
    ("where", "text", "printed"),
    [
        ("libraries", "half = 3 / 2\n", "1.5"),
        ("work", "half = 3 / 2\n", "1"),
        ("libraries", "print '',\nhalf = 3 / 2\n", " 1"),  # that no Python 3 reads
    ],
)
def test_a_library_on_the_path_is_nobodys_script(project, tmp_path, where, text, printed):
    package = tmp_path / where / "third"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .part import half\n")
    (package / "part.py").write_text(text)
    (tmp_path / "work" / "old.py").write_text("import third\nprint third.half\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package.parent), *sys.path])}
    command = [sys.executable, "-m", "symae", "run", "old.py"]
    done = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{printed}\n"), done.stderr


def test_imports_within_packages_that_both_pythons_read(run, project):
    package = project / "work" / "package"
    package.mkdir()
    for name, text in {
        "__init__.py": "import part, utils\nfrom part import value\n",
        "part.py": "value = 'mine'\n",
        "utils.py": "tile_raster_images = 'ours'\n",
        "strict.py": "from __future__ import absolute_import\nimport part\n",
    }.items():
        (package / name).write_text(text)
    result = run("from package import value, utils\nprint(value)\nprint(utils.tile_raster_images)\n")
    assert (result.status, result.out) == (0, "mine\nours\n"), result.err
    (project / "work" / "part.py").write_text("value = 'beside'\n")
    assert run("from package import strict\nprint(strict.part.value)\n").out == "beside\n"
    assert run("from package import strict\nprint strict.part.value\n").out == "beside\n"
    assert run("from package import value\nprint value\n").out == "mine\n"
