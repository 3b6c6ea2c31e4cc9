"""``symae run script.py``: arguments, status, errors, report, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from symae.cli import main as cli

pytest.importorskip("fissix")


def test_a_script_sees_what_python_shows_it(run, tmp_path):
    result = run(
        "import sys, os\nprint __name__, __file__, sys.argv, sys.modules['__main__'].__file__ == __file__\n", "--a", "b"
    )
    assert (result.status, result.out) == (0, f"__main__ {tmp_path}/work/old.py ['old.py', '--a', 'b'] True\n")


def test_a_script_that_asks_for_its_name_is_main(run):
    assert run("if __name__ == '__main__':\n    print 'main'\n").out == "main\n"


@pytest.mark.parametrize(
    ("ending", "status"), [("sys.exit()", 0), ("sys.exit(3)", 3), ("sys.exit('why')", 1), ("raise SystemExit, 4", 4)]
)
def test_the_exit_status_is_the_scripts(run, ending, status):
    result = run(f"import sys\nprint 'a'\n{ending}\n")
    assert (result.status, result.out) == (status, "a\n")
    assert ("why" in result.err) == ("why" in ending)


def test_a_traceback_is_of_the_original_lines(run, tmp_path):
    (tmp_path / "work" / "helper.py").write_text("print 'helper'\ndef go(f):\n    # nothing\n    return f()\n")
    result = run("import helper\ndef f():\n    raise ValueError, 'bad'\n\nhelper.go(f)\n")
    assert (result.status, result.out) == (1, "helper\n")
    folder = tmp_path / "work"
    assert result.err.splitlines()[:8] == [
        "Traceback (most recent call last):",
        f'  File "{folder}/old.py", line 5, in <module>',
        "    helper.go(f)",
        f'  File "{folder}/helper.py", line 4, in go',
        "    return f()",
        f'  File "{folder}/old.py", line 3, in f',
        "    raise ValueError, 'bad'",
        "ValueError: bad",
    ]
    assert "symae/legacy" not in result.err
    assert "ValueError: bad" in result.report


def test_an_error_within_a_library_shows_the_scripts_line(run):
    result = run("import theano, theano.tensor as T\nx = T.vector('x')\nprint 'a'\nf = theano.function([], x)\n")
    assert result.status == 1
    assert "line 4, in <module>\n    f = theano.function([], x)\n" in result.err
    assert "symae/" not in result.err
    assert "(SYMAE_TRACEBACK=1 shows the lines of the libraries too)" in result.err


def test_a_syntax_error_is_one_line_and_leaves_nothing(run, tmp_path):
    result = run("print 'a'\nx = = 3\n")
    assert (result.status, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line == (
        "symae: error: old.py, line 2: found a syntax error (invalid syntax) in 'x = = 3', "
        "expected what Python 2 or Python 3 can parse"
    )
    assert not (tmp_path / "work" / "out").exists()


def test_a_syntax_error_in_a_module_beside_it_names_that(run, tmp_path):
    (tmp_path / "work" / "helper.py").write_text("print 'a'\ndef f(:\n")
    result = run("import helper\n")
    assert result.status == 2
    assert f"symae: error: old.py, line 1: {tmp_path}/work/helper.py, line 2: found a syntax error" in result.err


def test_a_script_may_expect_a_syntax_error(run, tmp_path):
    (tmp_path / "work" / "helper.py").write_text("x = 1\ndef f(:\n")
    result = run("""
        for code in ('eval("1 +")', 'exec "def f(:"', 'import helper', 'execfile("helper.py")', 'compile("1 +", "a", "eval")'):
            try:
                exec code
            except SyntaxError, error:
                print error.lineno,
    """)
    assert (result.status, result.out.split()) == (0, ["1", "1", "2", "2", "1"]), result.err


def test_a_text_of_code_is_python_2(run):
    result = run(
        "exec compile('print 7 / 2', 'a', 'exec')\nprint eval('7 / 2  # whole'), eval(compile('7 / 2', 'a', 'eval'))\n"
    )
    assert (result.status, result.out) == (0, "3\n3 3\n"), result.err


def test_a_stream_of_the_scripts_needs_nothing_but_write(run):
    result = run("""
        import StringIO, sys
        class Log(object):
            def __init__(self, stream):
                self.stream = stream
            def write(self, text):
                self.stream.write(text.upper())
        sys.stdout = Log(sys.stdout)
        sys.stderr = StringIO.StringIO()
        print 'a'
        import sklearn_of_2012
    """)
    assert (result.status, result.out) == (2, "A\n")
    assert result.err.startswith("symae: error: old.py, line 11: found an import that nothing answers")


@pytest.mark.parametrize(("ending", "status"), [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_what_a_script_does_at_its_end_goes_into_the_output_folder(run, tmp_path, ending, status):
    result = run(f"""
        import atexit, sys
        @atexit.register
        def bye():
            print 'bye'
            with open('bye.txt', 'w') as f:
                f.write('b')
        atexit.register(sys.stdout.write, 'first ')
        {ending}
    """)
    assert (result.status, result.out) == (status, "first bye\n"), result.err
    assert (result.folder / "bye.txt").read_text() == "b"
    assert not (tmp_path / "work" / "bye.txt").exists()


def test_the_report_has_what_was_printed_and_drawn(run):
    result = run("""
        import sys, Image, numpy
        print 'epoch 1, cost <0.5>'
        for i in range(3):
            sys.stdout.write('\\r%d %%' % i)
        print >>sys.stderr, 'careful'
        Image.fromarray(numpy.eye(4, dtype='uint8') * 255).resize((8, 8), Image.ANTIALIAS).save('eye.png')
    """)
    assert result.status == 0, result.err
    assert "epoch 1, cost &lt;0.5&gt;\n2 %careful" in result.report
    assert "0 %" not in result.report
    assert "eye.png" in result.report
    assert "symae: results are in out/old/: open report.html" in result.err


def test_results_go_where_out_says(run, tmp_path):
    result = run("open('a.txt', 'w').write('a')\n", options=("--out", "mine"))
    assert result.status == 0
    assert {path.name for path in (tmp_path / "work" / "mine").iterdir()} == {"a.txt", "report.html"}
    assert not (tmp_path / "work" / "out").exists()


@pytest.mark.parametrize("folder", [".", "..", "../work"])
def test_the_folder_of_the_script_is_no_output_folder(run, folder):
    result = run("print 'a'\n", options=("--out", folder))
    assert (result.status, result.out) == (2, "")
    assert "--out: found" in result.err


def test_a_temporary_file_of_a_program_that_the_script_calls_can_be_removed(run):
    result = run("""
        import os, subprocess, tempfile
        name = os.path.join(tempfile.gettempdir(), 'symae_%d.o' % os.getpid())
        subprocess.call(['touch', name])
        os.remove(name)
        print os.path.exists(name), subprocess.call(['test', '-e', name])
    """)
    assert (result.status, result.out) == (0, "False 1\n"), result.err
    assert "not removed" not in result.err


def test_a_script_may_be_called_anything(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells.sage").write_text("print 7 / 2\n")
    assert cli.main(["run", "cells.sage"]) == 0
    assert capsys.readouterr().out == "3\n"


def test_out_before_a_worksheet_is_handed_on_to_it(capsys, tmp_path):
    (tmp_path / "r").write_text("a file")
    assert cli.main(["run", "--out", str(tmp_path / "r"), "01"]) == 2
    assert f"{tmp_path}/r: found" in capsys.readouterr().err


def test_a_script_for_symae_itself_runs_as_python_runs_it(run, tmp_path):
    result = run("import symae, os\nprint(7 / 2, os.getcwd())\n")
    assert (result.status, result.out) == (0, f"3.5 {tmp_path}/work\n")
    assert not (tmp_path / "work" / "out").exists()


def test_ctrl_c_and_flags_in_a_process_of_its_own(tmp_path):
    script = tmp_path / "old.py"
    script.write_text(
        "import os, sys, time, theano\nsys.stdout = os.fdopen(sys.stdout.fileno(), 'w', 0)\n"
        "print theano.config.floatX\nwhile True:\n    time.sleep(0.05)\n"
    )
    env = {**os.environ, "THEANO_FLAGS": "floatX=float32", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "symae", "run", "old.py"]
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert line == "float32\n", err
    assert (process.returncode, err.splitlines()[0]) == (130, "interrupted")
    assert "THEANO_FLAGS" in (tmp_path / "out" / "old" / "report.html").read_text()
