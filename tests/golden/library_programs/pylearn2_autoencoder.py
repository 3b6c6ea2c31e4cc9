"""PyLearn2's examples: a denoising autoencoder, stacked under a classifier, from YAML; monitors of both."""

import json
import tempfile
from pathlib import Path

import numpy as np
from pylearn2.config import yaml_parse
from pylearn2.utils import serial

DAE = """
!obj:pylearn2.train.Train {
    dataset: &dataset !obj:pylearn2.datasets.dense_design_matrix.DenseDesignMatrix {
        X: !obj:numpy.random.normal { size: [20, 6] },
    },
    model: !obj:pylearn2.models.autoencoder.DenoisingAutoencoder {
        nvis: 6,
        nhid: 4,
        irange: 0.05,
        corruptor: !obj:pylearn2.corruption.BinomialCorruptor {
            corruption_level: 0.5,
        },
        act_enc: "tanh",
        act_dec: null,
    },
    algorithm: !obj:pylearn2.training_algorithms.sgd.SGD {
        learning_rate: 1e-1,
        batch_size: 5,
        monitoring_dataset: *dataset,
        cost: !obj:pylearn2.costs.autoencoder.MeanSquaredReconstructionError {},
        termination_criterion: !obj:pylearn2.termination_criteria.EpochCounter {
            max_epochs: 2,
        },
    },
    save_path: "%(folder)s/dae.pkl",
    save_freq: 1
}
"""
MLP = """
!obj:pylearn2.train.Train {
    dataset: &train !obj:pylearn2.datasets.dense_design_matrix.DenseDesignMatrix {
        X: !obj:numpy.random.normal { size: [20, 6] },
        y: !obj:numpy.random.randint { low: 0, high: 3, size: [20, 1] },
        y_labels: 3,
    },
    model: !obj:pylearn2.models.mlp.MLP {
        batch_size: 5,
        layers: [
            !obj:pylearn2.models.mlp.PretrainedLayer {
                layer_name: 'h1',
                layer_content: !pkl: "%(folder)s/dae.pkl"
            }, !obj:pylearn2.models.mlp.Sigmoid {
                layer_name: 'h2',
                dim: 5,
                sparse_init: 3,
            }, !obj:pylearn2.models.mlp.Softmax {
                layer_name: 'y',
                n_classes: 3,
                irange: 0.005
            }
        ],
        nvis: 6
    },
    algorithm: !obj:pylearn2.training_algorithms.sgd.SGD {
        learning_rate: .1,
        learning_rule: !obj:pylearn2.training_algorithms.learning_rule.Momentum {
            init_momentum: .5
        },
        monitoring_dataset: { 'train': *train },
        cost: !obj:pylearn2.costs.mlp.Default {},
        termination_criterion: !obj:pylearn2.termination_criteria.EpochCounter {
            max_epochs: 2
        }
    }
}
"""

folder = tempfile.mkdtemp()
figures = {}
for name, text in (("autoencoder", DAE), ("classifier", MLP)):
    np.random.seed(1)
    train = yaml_parse.load(text % {"folder": folder})
    train.main_loop(time_budget=None)
    channels = train.model.monitor.channels
    figures[name] = {
        key: [float(v) for v in channel.val_record] for key, channel in sorted(channels.items()) if "seconds" not in key
    }
kept = serial.load(str(Path(folder, "dae.pkl")))
figures["weights"] = np.ravel(kept.get_weights()).tolist()
print(json.dumps(figures))
