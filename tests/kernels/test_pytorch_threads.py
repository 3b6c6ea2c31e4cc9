"""A program of PyTorch has as many threads as its largest operation has work for, which no other program changes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from backend_params import on

PYTORCH = [on("pytorch", pytest.mark.backends)]


@pytest.fixture(scope="module", params=PYTORCH)
def torch(request):
    return pytest.importorskip("torch")


def graph_of(torch, function, *inputs):
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    torch.compile(function, backend=keep)(*inputs)
    (graph,) = graphs
    return graph


WORK = {
    "a product": (lambda torch, x, y: x @ y, 2 * 20 * 784 * 100),
    "of the same, one by one": (lambda torch, x, y: torch.vmap(lambda row: row @ y)(x), 2 * 20 * 784 * 100),
    "added to something": (lambda torch, x, y: torch.addmm(y[:1], x, y), 2 * 20 * 784 * 100),
    "functions of elements": (lambda torch, x, y: torch.tanh(x) * 2, 20 * 20 * 784),
    "a convolution": (
        lambda torch, x, y: torch.nn.functional.conv2d(x.reshape(20, 1, 28, 28), y[:9].reshape(100, 1, 3, 3)),
        2 * 20 * 26 * 26 * 100 * 9,
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_the_work_of_the_largest_operation_is_counted(torch, name):
    from symae.kernels.parallel.pytorch_threads import largest_operation

    function, expected = WORK[name]
    x, y = torch.rand(20, 784), torch.rand(784, 100)
    assert largest_operation(graph_of(torch, lambda x, y: function(torch, x, y), x, y)) == expected


@pytest.mark.parametrize(("units", "threads"), [(100, 1), (500, 2), (10_000, 2)])
def test_a_step_has_one_thread_unless_its_products_are_wide(torch, two_threads, units, threads):
    from symae.kernels.parallel.pytorch_threads import threads_for

    graph = graph_of(torch, lambda x, y: torch.sigmoid(x @ y), torch.rand(20, 784), torch.rand(784, units))
    assert threads_for(graph) == threads


def test_a_program_leaves_the_number_of_threads_as_it_was(torch, two_threads):
    from symae.kernels.parallel.pytorch_threads import on_threads

    assert on_threads(1, torch.get_num_threads)() == 1
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError):
        on_threads(1, lambda: 1 / 0)()
    assert torch.get_num_threads() == 2


def test_a_program_has_no_more_threads_than_pytorch(torch, two_threads):
    from symae.kernels.parallel.pytorch_threads import on_threads

    run = on_threads(2, torch.get_num_threads)
    torch.set_num_threads(1)
    assert run() == 1


@pytest.mark.parametrize("backend", PYTORCH)
def test_a_small_function_runs_on_one_thread(torch, two_threads, monkeypatch, backend):
    import numpy as np
    import pytensor.tensor as pt

    from symae import function

    seen = []
    run = torch.set_num_threads
    monkeypatch.setattr(torch, "set_num_threads", lambda n: (seen.append(n), run(n)))
    x = pt.matrix("x", dtype="float32")
    compiled = function([x], pt.tanh(x @ x), backend=backend)
    value = np.full((3, 3), 0.5, "float32")
    np.testing.assert_allclose(compiled(value), np.tanh(value @ value), rtol=1e-6)
    assert seen == [1, 2, 1, 2]  # once to see how much work there is


def test_a_thread_that_begins_while_another_computes_on_fewer_has_as_many_as_before(torch, two_threads):
    from symae.kernels.parallel.pytorch_threads import on_threads

    inside, asked, seen = threading.Event(), threading.Event(), []

    def keep_inside():
        inside.set()
        asked.wait(0.2)

    def ask():
        seen.append(on_threads(2, torch.get_num_threads)())
        asked.set()

    threads = [threading.Thread(target=on_threads(1, keep_inside))]
    threads[0].start()
    inside.wait()
    threads.append(threading.Thread(target=ask))
    threads[1].start()
    assert on_threads(1, lambda: on_threads(1, torch.get_num_threads)())() == 1  # and is not kept out by who waits
    for thread in threads:
        thread.join()
    assert seen == [2]


FORKED = """
import os, threading, torch
from symae.kernels.parallel.pytorch_threads import on_threads

torch.set_num_threads(2)
inside, forked = threading.Event(), threading.Event()
other = threading.Thread(target=on_threads(1, lambda: (inside.set(), forked.wait())))
other.start()
inside.wait()
child = os.fork()
if not child:
    asking = threading.Thread(target=on_threads(2, lambda: None), daemon=True)
    asking.start()
    asking.join(10)
    os._exit(asking.is_alive())
forked.set()
other.join()
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no processes that begin as a copy")
def test_a_copy_of_the_process_does_not_wait_for_threads_that_it_does_not_have(torch):
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED], check=True, timeout=120)
