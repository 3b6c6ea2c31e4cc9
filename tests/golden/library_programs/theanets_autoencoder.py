"""theanets and downhill, by what their documentation calls training by hand: an autoencoder, a classifier, a regression."""

import json

import downhill
import numpy as np
import theanets
import theano
import theano.tensor as T

rng = np.random.RandomState(0)
pictures = rng.uniform(size=(48, 12)).astype(theano.config.floatX)
labels = (pictures[:, :6].sum(axis=1) > pictures[:, 6:].sum(axis=1)).astype("int32")
train, valid = pictures[:32], pictures[32:]
figures = {}

np.random.seed(4)
net = theanets.Autoencoder([12, (5, "sigmoid"), 12], rng=7)
options = {"batch_size": 8, "validate_every": 1}
steps = net.itertrain(
    train, valid, algo="rmsprop", learning_rate=0.01, momentum=0.5, hidden_l1=0.01, input_noise=0.1, **options
)
three = [next(steps) for _ in range(3)]
figures["autoencoder"] = [float(m[k]) for t, v in three for m, k in ((t, "loss"), (t, "err"), (v, "loss"))]
figures["encoded"] = net.encode(valid[:2]).ravel().tolist()
figures["decoded"] = net.decode(net.encode(valid[:1])).ravel().tolist()

net = theanets.Classifier(layers=[12, (6, "relu"), 2], rng=9)
both = [(pictures[part], labels[part]) for part in (slice(32), slice(32, None))]
steps = net.itertrain(*both, algo="sgd", learning_rate=0.1, momentum=0.9, hidden_dropout=0.2, **options)
figures["classifier"] = [float(next(steps)[1]["loss"]) for _ in range(3)]
figures["probabilities"] = net.predict_proba(valid[:3]).ravel().tolist()

# by downhill alone: the sum of a picture from its pixels, with a penalty
x, total = T.matrix("x"), T.vector("total")
slopes = theano.shared(rng.normal(size=12), name="slopes")
cost = T.sqr(T.dot(x, slopes) - total).mean() + 0.05 * T.sqr(slopes).sum()
sums = [[part, part.sum(axis=1)] for part in (train, valid)]
options = {"inputs": [x, total], "params": [slopes], "batch_size": 8, "algo": "adadelta", "max_updates": 3}
downhill.minimize(cost, *sums, monitors=[("steep", (abs(slopes) > 1).mean())], **options)
figures["regression"] = slopes.get_value().tolist()
print(json.dumps(figures))
