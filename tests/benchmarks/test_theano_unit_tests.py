"""The table of Theano's tests keeps the rows of files that are not counted again."""

from benchmarks import theano_unit_tests

TESTS = """
def test_sum(): pass
def test_nodes(): f.maker.fgraph
def test_new(): pass
"""


def test_a_table_keeps_the_rows_of_other_files(tmp_path):
    file = "x/tests/test_b.py"
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(TESTS)
    passed = [{"end": name, "outcome": "passed"} for name in ("test_sum", "test_nodes", "test_new")]
    results = {file: [passed[0], {"end": "test_new", "outcome": "failed"}]}
    before = "| `theano/x/test_a` | 4 | 3 | 2 | 2 | 1 | 50 |\n| `theano/x/test_b` | 9 | 9 | 9 | 9 | 9 | 100 |\n| all | 13 |\n"
    table = theano_unit_tests._table(tmp_path, results, {file: passed}, before + "Other tables\n| all | 1 |\n")
    assert table.splitlines()[-5:] == [
        "| `theano/x/test_a` | 4 | 3 | 2 | 2 | 1 | 50 |",
        "| `theano/x/test_b` | 3 | 3 | 1 | 2 | 1 | 50 |",
        "| all | 7 | 6 | 3 | 4 | 2 | 50 |",
        "Other tables",
        "| all | 1 |",
    ]
