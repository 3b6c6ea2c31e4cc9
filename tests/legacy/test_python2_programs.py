"""A program is of one Python, whatever file of it tells which; and what its pipes carry is text."""

from __future__ import annotations

import ast

import pytest

from symae.python2.version_detection import python_version_of

pytest.importorskip("fissix")


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("if not kwargs.has_key('mode'):\n    pass\n", "python2"),
        ("if __name__ == '__main__':\n    for i in xrange(3): pass\n", "python2"),
        ("import sys\nif sys.version_info[0] == 2:\n    d.iteritems()\n", "either"),
        ("from six import PY2\nif PY2:\n    import cPickle\n", "either"),
        ("if IS_PYTHON3:\n    import pickle\nelse:\n    import cPickle as pickle\n", "either"),
        ("items = d.iteritems() if hasattr(d, 'iteritems') else d.items()\n", "either"),
        ("try:\n    import cPickle\nexcept ImportError:\n    import pickle\n", "either"),
    ],
)
def test_an_if_hides_python_2_where_it_asks_for_it(source, version):
    assert python_version_of(ast.parse(source)) == version


def test_a_script_that_tells_nothing_is_of_its_modules_python(run, tmp_path):
    """The package's module of its own name is meant, which Python 3 would take for the package; and 7 / 2 is 3."""
    package = tmp_path / "work" / "library" / "Schedule"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from Linear import Linear\n")
    (package / "Schedule.py").write_text("class Schedule(object):\n    pass\n")
    (package / "Linear.py").write_text("from Schedule import Schedule\nclass Linear(Schedule):\n    half = 7 / 2\n")
    (tmp_path / "work" / "steps.py").write_text("import Schedule\ndef show():\n    print Schedule.Linear.half\n")
    result = run("import sys\nsys.path.append('library')\nimport steps\nsteps.show()\nprint(9 / 2)\n")
    assert (result.status, result.out) == (0, "3\n4\n"), result.err


def test_a_script_beside_modules_of_python_3_divides_as_they_do(run, tmp_path):
    (tmp_path / "work" / "old.txt").write_text("print 1\n")
    (tmp_path / "work" / "steps.py").write_text("def half(n: int):\n    return n / 2\n")
    assert run("import steps\nprint(steps.half(9), 9 / 2)\n").out == "4.5 4.5\n"


def test_pipes_of_python_2_take_and_give_text(run):
    result = run("""
        import subprocess, sys
        from subprocess import PIPE
        double = "import sys\\nfor line in sys.stdin: print(line.strip() * 2)"
        child = subprocess.Popen([sys.executable, '-c', double], stdin=PIPE, stdout=PIPE)
        out, _ = child.communicate('ab\\ncd\\n')
        print out.split('\\n'), child.returncode
        child = subprocess.Popen([sys.executable, '-c', double], stdin=PIPE, stdout=PIPE)
        child.stdin.write('ef\\n')
        child.stdin.close()
        with child.stdout:
            print [line.rstrip() for line in child.stdout], child.wait()
        print subprocess.check_output([sys.executable, '-c', 'print(5)']).strip() == '5'
        raw = "import sys\\nsys.stdout.buffer.write(bytes([255, 254]))"
        print len(subprocess.check_output([sys.executable, '-c', raw]))
    """)
    assert (result.status, result.out) == (0, "['abab', 'cdcd', ''] 0\n['efef'] 0\nTrue\n2\n"), result.err


def test_numbers_from_a_pipe_are_the_bytes_that_they_were(run):
    result = run("""
        import numpy, struct, subprocess, sys
        numbers = "import array, sys; sys.stdout.buffer.write(array.array('i', [5, 200, 0x7bc3]).tobytes())"
        data = subprocess.check_output([sys.executable, '-c', numbers])
        print len(data), struct.unpack('3i', data), numpy.fromstring(data, 'int32').tolist()
    """)
    assert (result.status, result.out) == (0, "12 (5, 200, 31683) [5, 200, 31683]\n"), result.err


def test_exceptions_have_a_message_and_are_sequences(run):
    # as the documentation of Python 2.7 has it
    result = run("""
        class Own(Exception):
            message = 'own'
        for error in (ValueError('one'), IOError(2, 'two'), ValueError(), Own('none')):
            try:
                raise error
            except IOError, e:
                number, text = e
                print (e.message, number, text, e[1], e[-2:])
            except Exception, e:
                print (e.message, len(e.args) and e[0])
    """)
    assert result.out == "('one', 'one')\n('', 2, 'two', 'two', (2, 'two'))\n('', 0)\n('own', 'none')\n", result.err


def test_pipes_are_read_line_by_line_to_their_end_and_hold_pickles(run):
    result = run("""
        import cPickle, subprocess, sys
        def started(code):
            return subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)
        for end in (b'', ''):
            child = started('print(1); print(2)')
            with child.stdout:
                lines = iter(child.stdout.readline, end)
                print [next(lines, 'none').strip() for _ in range(3)],
        with started('print(5)').stdout as five:
            print five.next().strip()
        kept = "import pickle, sys; sys.stdout.buffer.write(pickle.dumps([1, b'a'], 2))"
        with started(kept).stdout as pickled:
            print cPickle.load(pickled)[0]
    """)
    assert (result.status, result.out) == (0, "['1', '2', 'none'] ['1', '2', 'none'] 5\n1\n"), result.err


def test_datasets_of_h5py_have_a_value_and_attributes_are_texts(run):
    pytest.importorskip("h5py")
    result = run("""
        import h5py, numpy
        f = h5py.File('kept.h5', 'w')
        f['a/b'] = numpy.arange(3)
        f['a/b'].attrs['unit'] = 'nats'
        f.close()
        kept = h5py.File('kept.h5', 'r')
        print kept['a/b'].value, kept['a']['b'].attrs['unit'] == 'nats', isinstance(kept, h5py.File)
        print [[b.value.sum() for _, b in a.items()] for a in kept.values()], kept.get('a').get('b').value[2],
        print kept['a/b'].parent['b'].value[1], kept.visititems(lambda name, item: item.value[1] if name == 'a/b' else None)
    """)
    assert (result.status, result.out) == (0, "[0 1 2] True True\n[[3]] 2 1 1\n"), result.err


def test_patterns_of_python_2_may_escape_any_letter_and_set_flags_within(run):
    # as the documentation of Python 2.7 has it
    result = run(r"""
        import re
        from re import findall
        print re.sub(ur'\p{P}+', '', 'a p{P}} b'), re.split(r'[\e,]', 'a,bec'), findall('b(?i)', 'aBb')
        print re.compile(r'\d\j', re.I).match('7J').group(), re.sub(r'(\w)\.', r'\1!', 'a.b')
        try:
            re.match('(', 'a')
        except re.error, e:
            print 'wrong'
    """)
    assert (result.status, result.out) == (0, "a  b ['a', 'b', 'c'] ['B', 'b']\n7J a!b\nwrong\n"), result.err


def test_what_follows_next_of_an_iterator_is_of_the_item(run):
    result = run("""
        numbers = {'a': [7, 8]}
        print numbers.itervalues().next()[1], numbers.iteritems().next()[0].upper(), iter([[1]]).next().count(1)
        class Own:
            def next(self): return 'own'
        print Own().next().upper(), list(iter(iter([1, 2, 0]).next, 0))
    """)
    assert (result.status, result.out) == (0, "8 A 1\nOWN [1, 2]\n"), result.err
