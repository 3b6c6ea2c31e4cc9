"""Programs become Python 3 with symae.theano, and what cannot be decided is listed."""

from __future__ import annotations

import ast
import sys

import pytest
from port_samples import ALL, DIVISION, LIBRARIES, PYTHON2, THEANO

from symae.errors import BackendError, InputError
from symae.port.pipeline import port, port_bytes


def ids(samples):
    return pytest.mark.parametrize(("before", "after"), samples.values(), ids=samples)


@ids(PYTHON2)
def test_python_2_becomes_python_3(before, after):
    assert port(before).text == after


@ids(DIVISION)
def test_division_of_whole_numbers_is_written_as_what_it_was(before, after):
    assert port(before).text == after


@ids(LIBRARIES)
def test_other_libraries_names_are_those_of_today(before, after):
    assert port(before).text == after


@ids(THEANO)
def test_theano_is_imported_from_symae(before, after):
    assert port(before).text == after


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("before", ALL.values(), ids=ALL)
def test_porting_again_changes_nothing(before, modern):
    once = port(before, modern=modern).text
    ast.parse(once)
    assert port(once, modern=modern).text == once


def reasons(text, **options):
    return [(note.line, note.original, note.reason) for note in port(text, **options).notes]


def test_a_quotient_that_nobody_can_know_is_listed_with_its_lines():
    ported = port("from __future__ import print_function\nimport cPickle\n\nx = a / b\ny = a / 2.\nprint(unicode(x))\n")
    assert "x = a / b\n" in ported.text
    ((line, original, reason),) = [(n.line, n.original, n.reason) for n in ported.notes]
    assert (line, original) == (4, 4)
    assert "write //" in reason


def test_lines_are_those_of_the_result_and_of_the_original():
    before = "print 1\nx = reduce(f, b)\ny = a / b\n"
    ((line, original, _),) = reasons(before)
    assert (line, original) == (4, 3)
    assert port(before).text.split("\n")[line - 1] == before.split("\n")[original - 1]


def test_sides_that_only_their_names_call_whole_are_divided_whole_and_listed():
    ported = port("def f(n_train, batch_size):\n    print n_train / batch_size\n")
    assert "n_train // batch_size" in ported.text
    assert "names say" in ported.notes[0].reason


def test_python_3_keeps_its_division_and_may_be_told_that_it_is_python_2():
    text = "def f(x, batch_size=9):\n    n = x.shape[0] / batch_size\n    for i in range(n): pass\n"
    assert port(text).text == text
    assert "--python 2" in port(text).notes[0].reason
    assert "x.shape[0] // batch_size" in port(text, python=2).text


GONE_METHODS = [
    "__cmp__",
    "__coerce__",
    "__unicode__",
    "__hex__",
    "__oct__",
    "__long__",
    "__getslice__",
    "__setslice__",
    "__delslice__",
]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("import lasagne\n", "lasagne is built on Theano"),
        ("import numpy\nx = numpy.random.random_integers(3)\n", "randint(low, high + 1)"),
        ("from scipy.misc import imsave\n", "PIL.Image"),
        ("import random\nrandom.seed(3)\nprint 1\n", "other numbers from the same seed"),
        ("a.sort(cmp=f)\nprint 1\n", "cmp_to_key"),
        ("print round(2.5)\n", "rounds them to even"),
        ("raise 'old'\nprint 1\n", "string exceptions"),
        ("import sys\nreload(sys)\nsys.setdefaultencoding('utf8')\n", "not needed"),
        ("print 'a'.encode('hex')\n", "codecs.encode"),
        ("x = 'a'.encode('rot-13')\n", "codecs.encode"),
        ("x = s.decode('hex_codec')\n", "codecs.encode"),
        ("with open('a.txt') as f: print f.read().decode('utf-8')\n", "texts have no decode"),
        ("print s.decode()\n", "texts have no decode"),
        ("try: f()\nexcept IOError, e: print e.message\n", "exceptions have no message"),
        ("try: f()\nexcept (IOError, OSError), e: print e[0]\n", "exceptions are no sequences"),
        *((f"class A:\n    def {name}(self, *rest): print 1\n", f"{name} is not called any more") for name in GONE_METHODS),
    ],
)
def test_what_else_needs_a_look_is_listed(text, part):
    assert any(part in reason for _, _, reason in reasons(text))


def test_bytes_and_models_may_decode():
    text = "print b'a'.decode('utf-8'), u'a'.encode('latin-1').decode('utf-8'), model.decode(x), model.decode('h')\n"
    assert reasons(text) == []


@pytest.mark.parametrize(
    "path", ["mnist.pkl.gz", "../data/mnist.pkl.gz", "data\\\\mnist.pkl", "http://host/mnist/train-images-idx3-ubyte.gz"]
)
@pytest.mark.parametrize("modern", [False, True])
def test_data_that_only_symae_run_has_is_listed(path, modern):
    ((line, _, reason),) = reasons(f"import cPickle, gzip\ntrain = cPickle.load(gzip.open('{path}'))\n", modern=modern)
    assert line == 2
    assert "symae.load_data() gives MNIST" in reason
    assert reasons(f"import symae\nx = symae.load_data('{path}')\n", modern=modern) == []


def test_a_name_that_symae_does_not_answer_is_listed():
    ((line, _, reason),) = reasons("import theano\nx = 1\ntheano.no_such_thing(x)\n")
    assert line == 3
    assert "no_such_thing" in reason


def test_modules_of_the_same_package_are_listed_for_python_2():
    text = "import layers\nfrom layers.conv import x\nprint 1\n"
    assert [(n.line, ".layers" in n.reason) for n in port(text, neighbours={"layers"}).notes] == [(1, True), (2, True)]
    assert port(text).notes == []


def test_divisions_in_decorators_and_annotations_are_found():
    text = "@f(7 / 2)\ndef g(a):\n    print a\n"
    assert port(text).text == "@f(7 // 2)\ndef g(a):\n    print(a)\n"


def test_a_program_that_needs_nothing_stays_as_it_is():
    text = "import numpy as np\n\nx = {  'a':1 }  # é\n"
    ported = port(text)
    assert (ported.text, ported.notes) == (text, [])


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("x = 1\ndef f(:\n", 2, "def f(:"),
        ("print 'a'\nfor i in x\n    pass\n", 2, "for i in x"),
        ("x = (1,\n", 1, "x = (1,"),
        ("print 'never ends\n", 1, "never ends"),
        ("def f():\nreturn 1\n", 2, "return 1"),
    ],
)
def test_what_no_python_reads_is_named_by_its_line(text, line, what):
    with pytest.raises(InputError, match=rf"^a\.py, line {line}: found .*expected Python 2 or 3") as error:
        port(text, where="a.py")
    assert what in str(error.value)


def test_line_ends_of_windows_are_kept_and_mixed_ones_become_one():
    assert port_bytes(b"print 1\r\nprint 2\r\n", "a.py")[0] == b"print(1)\r\nprint(2)\r\n"
    assert port_bytes(b"print 1\nprint 2\r\nprint 3\n", "a.py")[0] == b"print(1)\nprint(2)\nprint(3)\n"
    unchanged = b"x = 1\nx = 2\r\n"
    assert port_bytes(unchanged, "a.py")[0] == unchanged


def test_encodings_are_kept():
    declared = "# -*- coding: latin-1 -*-\nprint 'é'\n".encode("latin-1")
    assert port_bytes(declared, "a.py")[0] == declared.replace(b"print '\xe9'", b"print('\xe9')")
    assert port_bytes(b"\xef\xbb\xbfprint 1\n", "a.py")[0] == b"\xef\xbb\xbfprint(1)\n"


def test_bytes_that_say_nothing_are_latin_1_and_listed():
    data, notes = port_bytes(b"# caf\xe9\nprint 1\n", "a.py")
    assert data == "# café\nprint(1)\n".encode()
    assert "Latin-1" in notes[0].reason
    data, notes = port_bytes("print 'é'\r\n".encode("utf-16"), "a.py")
    assert data == "print('é')\r\n".encode()
    assert "UTF-16" in notes[0].reason


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"\x1f\x8b\x08\x00", ""), (b"# coding: klingon\n", ""), (b"# coding: utf-8\n'\xe9'\n", ", line 2")],
)
def test_what_is_no_text_is_refused(data, place):
    with pytest.raises(InputError, match=rf"^a\.py{place}: found"):
        port_bytes(data, "a.py")


@pytest.mark.parametrize("missing", ["fissix", "libcst"])
def test_what_brings_the_missing_library_is_said(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BackendError, match=r"symae\[port\]"):
        port("x = 1\n")
