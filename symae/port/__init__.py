"""``symae port``: legacy sources rewritten for good, from Python 2 to 3 and from Theano to symae or to today's PyTensor.

`symae.port.pipeline.port` ports a text; `symae.cli.port` is the command. The rewriting needs fissix and libcst, which
``pip install "symae[port]"`` brings, so this package imports them only when it is used.
"""
