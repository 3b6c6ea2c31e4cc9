"""The quick start of theanets, trained by downhill: a sparse, noisy autoencoder, and a classifier."""

import json

import downhill
import numpy as np
import theanets
import theano
import theano.tensor as TT

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

# downhill alone: its README's factors of a matrix
y = TT.matrix("y")
u, v = (theano.shared(rng.normal(size=shape), name=name) for name, shape in (("u", (12, 2)), ("v", (2, 12))))
loss = ((y - TT.dot(TT.dot(y, u), v)) ** 2).mean() + 0.1 * abs(u).mean()
options = {"inputs": [y], "params": [u, v], "batch_size": 8, "algo": "adadelta", "max_updates": 3}
downhill.minimize(loss, [train], [valid], monitors=[("u<0.1", (abs(u) < 0.1).mean())], **options)
figures["factors"] = [*u.get_value().ravel().tolist(), *v.get_value().ravel().tolist()]
print(json.dumps(figures))
