"""Small programs in the style of 2010 to 2017, written for these tests: what is ported, and what comes out by default."""

from __future__ import annotations

# name: (before, after)
PYTHON2 = {
    "print": ("print 'a', 1\nprint\nprint >>f, 'b',\n", "print('a', 1)\nprint()\nprint('b', end=' ', file=f)\n"),
    "one pair of brackets": (
        'print ("%d" % n)\nprint (1, 2)\nprint xrange(3)\n',
        'print("%d" % n)\nprint((1, 2))\nprint(range(3))\n',
    ),
    "loops": ("for i in xrange(3):\n    print i\n", "for i in range(3):\n    print(i)\n"),
    "methods of dicts": (
        "for k, v in d.iteritems():\n    print k\nif d.has_key(1): pass\n",
        "for k, v in d.items():\n    print(k)\nif 1 in d: pass\n",
    ),
    "next and what follows": (
        "print d.itervalues().next().shape[0], it.next() ** 2, lines.next(), -it.next().x(1).next(), commit.message, e[0]\n",
        "print(next(iter(d.values())).shape[0], next(it) ** 2, next(lines), -next(next(it).x(1)), commit.message, e[0])\n",
    ),
    "next after next": ("print a.next().b.next()[0].next().c\n", "print(next(next(next(a).b)[0]).c)\n"),
    "lists": ("a = map(str, b)\nprint a[0]\n", "a = list(map(str, b))\nprint(a[0])\n"),
    "exceptions": (
        "try:\n    f()\nexcept IOError, e:\n    raise ValueError, 'x'\n",
        "try:\n    f()\nexcept IOError as e:\n    raise ValueError('x')\n",
    ),
    "pickles": (
        "import cPickle, gzip\nf = gzip.open('m.pkl.gz')\na, b = cPickle.load(f)\n",
        "import pickle, gzip\nf = gzip.open('m.pkl.gz')\na, b = pickle.load(f, encoding=\"latin1\")\n",
    ),
    "pickles under another name": (
        "import cPickle as pickle\npickle.dump(a, open('x', 'w'))\n",
        "import pickle\npickle.dump(a, open('x', 'wb'))\n",
    ),
    "a file for a pickle": (
        "import cPickle\nwith open('x') as f:\n    a = cPickle.load(f)\nb = open('y').read()\n",
        "import pickle\nwith open('x', \"rb\") as f:\n    a = pickle.load(f, encoding=\"latin1\")\nb = open('y').read()\n",
    ),
    "a module of PIL": ("import Image\nprint Image\n", "from PIL import Image\nprint(Image)\n"),
    "comments and layout": (
        "#!/usr/bin/env python\n\n\nx = [1,2,\n     3]   # three\n\n# more\nprint  x ; y=  2\n",
        "#!/usr/bin/env python\n\n\nx = [1,2,\n     3]   # three\n\n# more\nprint(x) ; y=  2\n",
    ),
    "no end of line at the end": ("print 1", "print(1)"),
    "built-in names": (
        "f = file(a)\nb = isinstance(f, file), xrange, map(unicode, c)\nprint reduce(*d), buffer(e), 1\n",
        "import io\nimport functools\nf = open(a)\nb = isinstance(f, io.IOBase), range, list(map(str, c))\n"
        "print(functools.reduce(*d), memoryview(e), 1)\n",
    ),
    "names of the program's own": ("file, long = 1, 2\nprint file, long\n", "file, long = 1, 2\nprint(file, long)\n"),
    "cmp": (
        "import os\na.sort(cmp)\nprint cmp(1, 2), 3\nimport re\n",
        'import os\n\n\ndef cmp(a, b):\n    """Python 2\'s cmp."""\n    return (a > b) - (a < b)\n\n\n'
        "a.sort(cmp)\nprint(cmp(1, 2), 3)\nimport re\n",
    ),
    "the module string": (
        "import string\nprint string.join(a), string.join(b, ','), string.upper(c), string.atoi('3')\n",
        "import string\nprint(str.join(\" \", a), str.join(',', b), str.upper(c), int('3'))\n",
    ),
    "the module types": (
        "import types\nprint type(x) in (types.StringType, types.UnicodeType, types.ListType), types.FunctionType\n",
        "import types\nprint(type(x) in (str, str, list), types.FunctionType)\n",
    ),
    "modules that are gone": (
        "import os, md5, sets\nprint md5.new(a), sets.Set(b)\n",
        "import os, hashlib, builtins\nprint(hashlib.md5(a), set(b))\n",
    ),
    "methods of dicts that are not called": ("print map(f, d.iteritems), 1\n", "print(list(map(f, d.items)), 1)\n"),
    "modules of PIL among others": (
        "import os, Image\nfrom ImageDraw import Draw\nprint Image, 1\n",
        "import os\nfrom PIL import Image\nfrom PIL.ImageDraw import Draw\nprint(Image, 1)\n",
    ),
    "tabs": ("if a:\n\tprint 1\n        print '\t'\n", "if a:\n        print(1)\n        print('\t')\n"),
    "octal and long numbers": ("x = 0777, 9L\nprint x <> 1\n", "x = 0o777, 9\nprint(x != 1)\n"),
}
DIVISION = {
    "shapes": (
        "n = x.get_value(borrow=True).shape[0] / 20\nprint n\n",
        "n = x.get_value(borrow=True).shape[0] // 20\nprint(n)\n",
    ),
    "lengths": ("print len(a) / 2, 7 / 2\n", "print(len(a) // 2, 7 // 2)\n"),
    "defaults that are sizes": (
        "def f(x, batch_size=600):\n    print x.shape[0] / batch_size\n",
        "def f(x, batch_size=600):\n    print(x.shape[0] // batch_size)\n",
    ),
    "what a range needs": (
        "n = a / b\nfor i in xrange(n):\n    print y[c / d:], e / 2.\n",
        "n = a // b\nfor i in range(n):\n    print(y[c // d:], e / 2.)\n",
    ),
    "in place": ("n = 9\nn /= 2\nprint n\n", "n = 9\nn //= 2\nprint(n)\n"),
    "a counter": (
        "k = 0\nwhile k < 9:\n    k = k + 1\n    print k / 2\n",
        "k = 0\nwhile k < 9:\n    k = k + 1\n    print(k // 2)\n",
    ),
    "brackets and comments between": (
        "x = ((len(a)) # first\n     / (2))\nprint x\n",
        "x = ((len(a)) # first\n     // (2))\nprint(x)\n",
    ),
    "attributes": (
        "class A:\n    def __init__(self):\n        self.m = 3\n    def f(self):\n        print self.m / 2\n",
        "class A:\n    def __init__(self):\n        self.m = 3\n    def f(self):\n        print(self.m // 2)\n",
    ),
    "what callers give": (
        "def f(a):\n    print a / 2\n\nf(3)\nf(a=len(b))\n",
        "def f(a):\n    print(a // 2)\n\nf(3)\nf(a=len(b))\n",
    ),
    "letters beyond ASCII": ("# -*- coding: utf-8 -*-\nprint u'é', 7 / 2\n", "# -*- coding: utf-8 -*-\nprint('é', 7 // 2)\n"),
    "floats stay": (
        "import numpy, math\nprint numpy.sqrt(6) / n, a / 2., float(a) / b, x.mean() / y, math.pi / 4\n",
        "import numpy, math\nprint(numpy.sqrt(6) / n, a / 2., float(a) / b, x.mean() / y, math.pi / 4)\n",
    ),
    "expressions of floats stay": (
        "import theano.tensor as T\nx = T.matrix()\nprint x / x.sum(axis=1), T.exp(y) / z\n",
        "import symae.theano.tensor as T\nx = T.matrix()\nprint(x / x.sum(axis=1), T.exp(y) / z)\n",
    ),
    "true division from the future": ("from __future__ import division\nprint 7 / 2\n", "\nprint(7 / 2)\n"),
    "callers with a float": ("def f(n_a):\n    print n_a / 2\nf(1.5)\n", "def f(n_a):\n    print(n_a / 2)\nf(1.5)\n"),
    "Python 3, where a float is refused": ("for i in range(len(a) / 2): pass\n", "for i in range(len(a) // 2): pass\n"),
}

LIBRARIES = {
    "names of NumPy": (
        "import numpy as np\na = np.zeros(3, dtype=np.float)\nb = np.int(3), np.Inf, np.bool_, np.product(a)\n",
        "import numpy as np\na = np.zeros(3, dtype=float)\nb = int(3), np.inf, np.bool_, np.prod(a)\n",
    ),
    "casts": (
        "import numpy\nx = numpy.cast['float32'](y)\n",
        "import numpy\nx = numpy.asarray(y, dtype='float32')\n",
    ),
    "the clock": (
        "import time\nfrom time import clock\nt = time.clock() - clock()\n",
        "import time\nfrom time import perf_counter as clock\nt = time.perf_counter() - clock()\n",
    ),
    "six": (
        "from six.moves import xrange, cPickle\nimport six.moves.cPickle as pickle\nfor i in xrange(2): pickle.loads(s)\n",
        'import pickle as cPickle\nimport pickle\nfor i in range(2): pickle.loads(s, encoding="latin1")\n',
    ),
    "special functions": (
        "from scipy.misc import logsumexp\nprint(logsumexp([1]))\n",
        "from scipy.special import logsumexp\nprint(logsumexp([1]))\n",
    ),
    "special functions by their full names": (
        "import scipy.misc\nprint(scipy.misc.comb(3, 2))\n",
        "import scipy.special\nprint(scipy.special.comb(3, 2))\n",
    ),
    "names of one's own": ("class np: float = 1\nx = np.float\nopen = 3\n", "class np: float = 1\nx = np.float\nopen = 3\n"),
    "text files stay text": (
        "import pickle\ndef f(g):\n    f = open(g)\n    return f.read()\ndef h(f):\n    return pickle.load(f)\n",
        "import pickle\ndef f(g):\n    f = open(g)\n    return f.read()\ndef h(f):\n"
        '    return pickle.load(f, encoding="latin1")\n',
    ),
}

THEANO = {
    "plain": ("import theano\nx = theano.shared(1)\n", "import symae.theano as theano\nx = theano.shared(1)\n"),
    "by another name": ("import theano as th\n", "import symae.theano as th\n"),
    "tensor": ("import theano.tensor as T\n", "import symae.theano.tensor as T\n"),
    "several at once": (
        "import os, theano, theano.tensor as T # all\n",
        "import os, symae.theano as theano, symae.theano.tensor as T # all\n",
    ),
    "from": ("from theano import tensor as T, function\n", "from symae.theano import tensor as T, function\n"),
    "from below": (
        "from theano.tensor.shared_randomstreams import RandomStreams\n",
        "from symae.theano.tensor.shared_randomstreams import RandomStreams\n",
    ),
    "a module without another name": (
        "import theano.tensor.nnet\nx = theano.tensor.nnet.sigmoid\n",
        "import symae.theano as theano, symae.theano.tensor.nnet\nx = theano.tensor.nnet.sigmoid\n",
    ),
    "a module after its package": (
        "import theano\nimport theano.tensor.nnet\n",
        "import symae.theano as theano\nimport symae.theano.tensor.nnet\n",
    ),
    "a package within itself": (
        "from theano import theano, config\n",
        "from symae import theano\nfrom symae.theano import config\n",
    ),
    "over several lines": (
        "from theano.tensor import (dot,  # products\n                           exp)\n",
        "from symae.theano.tensor import (dot,  # products\n                           exp)\n",
    ),
    "inside": (
        "def f():\n    try:\n        import theano\n    except ImportError:\n        theano = None\n",
        "def f():\n    try:\n        import symae.theano as theano\n    except ImportError:\n        theano = None\n",
    ),
    "names that only look like it": (
        "import theano_lstm_x\nfrom . import theano\n",
        "import theano_lstm_x\nfrom . import theano\n",
    ),
}

MODERN = {
    "the opposite of a comparison": (
        "import theano.tensor as T\ny = T.switch(~T.eq(x, 3), x, -T.eq(x, 1))\n",
        'import pytensor.tensor as T\ny = T.switch(~T.eq(x, 3), x, -T.cast(T.eq(x, 1), "int8"))\n',
    ),
    "clone": (
        "import theano\ny = theano.clone(x, {a: b}, strict=True)\n",
        "import pytensor\ny = pytensor.graph.clone_replace(x, {a: b}, rebuild_strict=True)\n",
    ),
    "imports": (
        "import theano\nimport theano.tensor as T\nx = theano.shared(1.0)\ny = T.dot(x, x).astype(theano.config.floatX)\n",
        "import pytensor\nimport pytensor.tensor as T\nx = pytensor.shared(1.0)\n"
        "y = T.dot(x, x).astype(pytensor.config.floatX)\n",
    ),
    "other names of imports": (
        "import theano as th\nfrom theano import tensor, config\nx = th.shared(config.floatX, tensor.inv(2))\n",
        "import pytensor as th\nfrom pytensor import tensor, config\nx = th.shared(config.floatX, tensor.reciprocal(2))\n",
    ),
    "functions": (
        "import theano\nf = theano.function([x], y, updates=u)\n",
        "import symae\nf = symae.function([x], y, updates=u)\n",
    ),
    "functions by name": (
        "from theano import function, shared\nf = function([shared(1)])\n",
        "from symae import function\nfrom pytensor import shared\nf = function([shared(1)])\n",
    ),
    "random streams": (
        "from theano.tensor.shared_randomstreams import RandomStreams\nr = RandomStreams(3)\n",
        "from symae import RandomStreams\nr = RandomStreams(3)\n",
    ),
    "random streams by their full name": (
        "import theano.tensor as T\nr = T.shared_randomstreams.RandomStreams(3)\n",
        "import symae\nr = symae.RandomStreams(3)\n",
    ),
    "activations": (
        "import theano.tensor as T\ny = T.nnet.sigmoid(x) + T.nnet.softplus(x)\nz = T.nnet.softmax(T.dot(y, W) + b)\n",
        "import pytensor.tensor as T\ny = T.sigmoid(x) + T.softplus(x)\nz = T.special.softmax(T.dot(y, W) + b, axis=-1)\n",
    ),
    "softmax of a vector": (
        "import theano.tensor as T\nz = T.nnet.softmax(v)[0]\n",
        "import pytensor.tensor as T\nz = T.special.softmax(T.atleast_2d(v), axis=-1)[0]\n",
    ),
    "an assigned module": (
        "import theano\nT = theano.tensor\nx = T.nnet.sigmoid(T.inv(y))\n",
        "import pytensor\nT = pytensor.tensor\nx = T.sigmoid(T.reciprocal(y))\n",
    ),
    "convolution": (
        "from theano.tensor.nnet import conv\n"
        "c = conv.conv2d(input=x, filters=W, filter_shape=s, image_shape=t, border_mode='full')\n",
        "import symae.ops\nc = symae.ops.conv2d(x, W, border_mode='full')\n",
    ),
    "convolution by name": (
        "from theano.tensor.nnet import conv2d\nc = conv2d(x, W, None, s, 'half', subsample=(2, 2), filter_dilation=d)\n",
        "from symae.ops import conv2d\nc = conv2d(x, W, border_mode='half', subsample=(2, 2), dilation=d)\n",
    ),
    "pooling": (
        "from theano.tensor.signal import downsample\np = downsample.max_pool_2d(x, (2, 2), st=s)\n",
        "import symae.ops\np = symae.ops.pool2d(x, (2, 2), stride=s, ignore_border=False)\n",
    ),
    "pooling by name": (
        "from theano.tensor.signal.pool import pool_2d\np = pool_2d(\n    x,\n    ds=(2, 2),\n    ignore_border=True,\n)\n",
        "from symae.ops import pool2d as pool_2d\np = pool_2d(\n    x,\n    (2, 2),\n    ignore_border=True,\n)\n",
    ),
    "pooling on a GPU": (
        "from theano.sandbox.cuda.dnn import dnn_pool\np = dnn_pool(x, (2, 2))\n",
        "from symae.ops import pool2d as dnn_pool\np = dnn_pool(x, (2, 2), stride=(1, 1))\n",
    ),
    "neighbourhoods": (
        "from theano.tensor.nnet.neighbours import images2neibs\nn = images2neibs(x, (2, 2))\n",
        "from symae.ops import images2neibs\nn = images2neibs(x, (2, 2))\n",
    ),
    "comparisons": (
        "import theano.tensor as T\na = T.mean(T.neq(x, y))\nb = -T.eq(x, y)\nc = T.gt(x, 0) * x\n"
        "d = T.eq(x, 1) - T.eq(y, 1)\n",
        'import pytensor.tensor as T\na = T.mean(T.neq(x, y))\nb = -T.cast(T.eq(x, y), "int8")\nc = T.gt(x, 0) * x\n'
        'd = T.cast(T.eq(x, 1), "int8") - T.cast(T.eq(y, 1), "int8")\n',
    ),
    "what was a list, and what was a number": (
        "import theano\nimport theano.tensor as T\nn = len(theano.gof.graph.ancestors([x])) + (T.any(x) - T.all(y))\n",
        "import pytensor\nimport pytensor.tensor as T\n"
        'n = len(list(pytensor.graph.ancestors([x]))) + (T.cast(T.any(x), "int8") - T.cast(T.all(y), "int8"))\n',
    ),
    "a scan's updates and a dict": (
        "import theano\nh, updates = theano.scan(f, x)\nu = updates + {p: q}\n",
        "import pytensor\nh, updates = pytensor.scan(f, x)\nu = updates | {p: q}\n",
    ),
    "stacks and flattening": (
        "import theano.tensor as T\na = T.stack(x, y)\nb = T.stack([x, y], 1)\nc = x.flatten(2)\nd = T.flatten(x, outdim=2)\n",
        "import pytensor.tensor as T\na = T.stack([x, y])\nb = T.stack([x, y], 1)\nc = x.flatten(2)\n"
        "d = T.flatten(x, ndim=2)\n",
    ),
    "scan": (
        "import theano\nh, updates = theano.scan(f, x)\nu = updates + [(p, q)]\nw = theano.scan_module.until(x > 3)\n",
        "import pytensor\nfrom pytensor.scan.utils import until\nh, updates = pytensor.scan(f, x)\n"
        "u = list(updates.items()) + [(p, q)]\nw = until(x > 3)\n",
    ),
    "ifelse, gradients and printing": (
        "import theano, theano.printing\nfrom theano.ifelse import ifelse\n"
        "x = ifelse(a, b, c)\ny = theano.gradient.jacobian(x, b)\nz = theano.pp(theano.printing.Print('p')(y))\n",
        "import pytensor, pytensor.printing\nfrom pytensor import ifelse\n"
        "x = ifelse(a, b, c)\ny = pytensor.gradient.jacobian(x, b)\n"
        "z = pytensor.printing.pp(pytensor.printing.Print('p')(y))\n",
    ),
    "ops": (
        "import theano\nfrom theano import gof\nclass A(theano.Op):\n    def make_node(self, x):\n"
        "        return gof.Apply(self, [x], [])\n",
        "import pytensor\nclass A(pytensor.graph.Op):\n    def make_node(self, x):\n"
        "        return pytensor.graph.Apply(self, [x], [])\n",
    ),
    "ordered dicts": (
        "from theano.compat.python2x import OrderedDict\nd = OrderedDict()\n",
        "from collections import OrderedDict\nd = OrderedDict()\n",
    ),
    "copies to and from a GPU": (
        "import theano.sandbox.cuda.basic_ops as sbcuda\ny = sbcuda.gpu_from_host(x + 1)\n",
        "y = x + 1\n",
    ),
    "comments of imports that go": (
        "import theano\n# the GPU's\nfrom theano.tensor.nnet import conv  # old\n\nx = theano.shared(1)\n",
        "import pytensor\n# the GPU's\n\nx = pytensor.shared(1)\n",
    ),
    "an import that was all": (
        "def f():\n    # why\n    from theano.tensor.nnet import relu\n",
        "def f():\n    # why\n    pass\n",
    ),
}

ALL = {
    f"{group}: {name}": before
    for group, samples in {
        "Python 2": PYTHON2,
        "division": DIVISION,
        "libraries": LIBRARIES,
        "Theano": THEANO,
        "modern": MODERN,
    }.items()
    for name, (before, _) in samples.items()
}
