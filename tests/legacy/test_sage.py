"""Sage worksheets pasted into a file show their pictures and tables in the report, and find the tutorials' two modules."""

from __future__ import annotations

import pytest

pytest.importorskip("fissix")


@pytest.fixture(autouse=True)
def _digits(no_mnist):
    """symae's own digits stand for MNIST: they are small."""


def test_pictures_and_tables_go_into_the_report(run):
    result = run("""
        import numpy, Image
        for name in 'ab':
            Image.fromarray(numpy.zeros((4, 4), dtype='uint8')).save(DATA + name + '.png')
        html("<h2>Filters</h2>of <b>two</b> models<br><img src='%sa.png' alt='the first'>" % DATA)
        html.table([["<img src='cell://b.png'> the second", 0.25], ['b', 2]], header=['picture', 'cost'])
        html.table([('name', 'n'), ('c', 3)], header=True)
    """)
    assert result.status == 0, result.err
    report = result.report
    assert report.count("data:image/png;base64") == 2
    for words in ("<p>Filters</p>", "of two models", 'alt="the first"', "the second", ">picture</th>", ">n</th>", ">0.25</td>"):
        assert words in report
    assert "<h2>Pictures</h2>" not in report  # both are shown already


def test_a_picture_that_is_not_there_is_said(run):
    result = run("html('<img src=\"gone.png\">')\nprint 'on'\n")
    assert (result.status, result.out) == (0, "on\n")
    assert "symae: html: no picture gone.png" in result.err


def test_cells_of_a_text_export_run(run):
    result = run(
        """
{{{id=1|
%hide
x = 7
///
}}}

some text is not code
{{{id=2|
print x / 2
///
17
}}}
""".replace("some text is not code\n", "")
    )
    assert (result.status, result.out) == (0, "3\n"), result.err


def test_the_names_of_sage_are_the_scripts_if_it_has_its_own(run):
    assert run("DATA = 'mine/'\ndef html(text): print text\nhtml(DATA)\n").out == "mine/\n"


def test_a_worksheet_finds_logistic_sgd_and_utils(run):
    result = run("""
        import numpy, theano, theano.tensor as T
        from logistic_sgd import LogisticRegression, load_data
        from utils import tile_raster_images
        train_x, train_y = load_data('mnist.pkl.gz')[0]
        x, y, i = T.matrix('x'), T.ivector('y'), T.lscalar()
        model = LogisticRegression(input=x, n_in=28 * 28, n_out=10)
        cost = model.negative_log_likelihood(y)
        updates = [(p, p - 0.1 * T.grad(cost, p)) for p in model.params]
        window = slice(i * 500, (i + 1) * 500)
        train = theano.function([i], [cost, model.errors(y)], updates=updates, mode='FAST_COMPILE',
                                givens={x: train_x[window], y: train_y[window]})
        n = train_x.get_value(borrow=True).shape[0] / 500
        costs = [train(k)[0] for k in xrange(n)]
        print n, '%.6f' % costs[0], costs[-1] < costs[0]
        print tile_raster_images(model.W.get_value().T, (28, 28), (2, 5), (1, 1)).shape
    """)
    assert (result.status, result.out) == (0, "10 2.302585 True\n(57, 144)\n"), result.err
