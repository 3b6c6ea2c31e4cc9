"""Write foreign_weights/chainer*: autoencoders of Chainer 7.8.1, and what they make of digits.

Needs a Python 3.8 with ``pip install chainer==7.8.1 "numpy<1.24" "typing_extensions<4"``::

    python tests/golden/make_chainer_weights.py
"""

import chainer
import chainer.functions as F
import chainer.links as L
from weights_cases import draw, images, path, write_outputs


class Strided(chainer.Chain):
    """Strides down to four numbers, and up again."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.conv1 = L.Convolution2D(1, 2, 5, stride=2, pad=2)
            self.conv2 = L.Convolution2D(2, 3, 3, stride=2, pad=1)
            self.code = L.Linear(147, 4)
            self.dense = L.Linear(4, 147)
            self.deconv1 = L.Deconvolution2D(3, 2, 3, stride=2, pad=1, outsize=(14, 14))
            self.output = L.Deconvolution2D(2, 1, 5, stride=2, pad=2, outsize=(28, 28))

    def forward(self, x):
        y = F.relu(self.conv2(F.relu(self.conv1(x.reshape(-1, 1, 28, 28)))))
        y = F.relu(self.dense(self.code(y))).reshape(-1, 3, 7, 7)
        return F.sigmoid(self.output(F.relu(self.deconv1(y))))


class Unpooled(chainer.Chain):
    """ImageAutoencoder(maps=(2, 3), pool=2)."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.conv_A, self.conv_B = L.Convolution2D(1, 2, 5, pad=2), L.Convolution2D(2, 3, 5, pad=2)
            self.deconv_A = L.Deconvolution2D(2, 1, 5, pad=2, nobias=True)
            self.deconv_B = L.Deconvolution2D(3, 2, 5, pad=2, nobias=True)

    def forward(self, x):
        y, first = F.max_pooling_2d(F.relu(self.conv_A(x.reshape(-1, 1, 28, 28))), 2, return_indices=True)
        y, second = F.max_pooling_2d(F.relu(self.conv_B(y)), 2, return_indices=True)
        y = self.deconv_B(F.upsampling_2d(y, second, 2, outsize=(14, 14)))
        return self.deconv_A(F.upsampling_2d(y, first, 2, outsize=(28, 28)))


outputs = {}
for name, model in {"strided": Strided(), "unpooled": Unpooled()}.items():
    for seed, (_, parameter) in enumerate(sorted(model.namedparams())):
        parameter.data = draw(parameter.shape, seed)
    outputs[name] = model(images()).data
    chainer.serializers.save_npz(path("chainer_" + name + ".npz"), model)
write_outputs("chainer", outputs)
