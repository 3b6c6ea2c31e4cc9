"""PyLearn2 from YAML, of which its documentation tells: a denoising autoencoder, then a classifier on what it has learned."""

import json
import tempfile
from pathlib import Path

import numpy as np
from pylearn2.config import yaml_parse
from pylearn2.utils import serial

TRAINED = """
!obj:pylearn2.train.Train
dataset: &pictures !obj:pylearn2.datasets.dense_design_matrix.DenseDesignMatrix
  {dataset}
model: {model}
algorithm: !obj:pylearn2.training_algorithms.sgd.SGD
  batch_size: 8
  monitoring_dataset: {{seen: *pictures}}
  termination_criterion: !obj:pylearn2.termination_criteria.EpochCounter {{max_epochs: 3}}
  {algorithm}
save_freq: 1
save_path: {path}
"""
AUTOENCODER = {
    "dataset": "X: !obj:numpy.random.uniform {size: [24, 8]}",
    "model": """!obj:pylearn2.models.autoencoder.DenoisingAutoencoder
  act_enc: sigmoid
  act_dec: null
  corruptor: !obj:pylearn2.corruption.BinomialCorruptor {corruption_level: 0.25}
  irange: 0.2
  nhid: 5
  nvis: 8""",
    "algorithm": """cost: !obj:pylearn2.costs.autoencoder.MeanSquaredReconstructionError {}
  learning_rate: 0.05""",
}
CLASSIFIER = {
    "dataset": """X: !obj:numpy.random.uniform {size: [24, 8]}
  y: !obj:numpy.random.randint {low: 0, high: 2, size: [24, 1]}
  y_labels: 2""",
    "model": """!obj:pylearn2.models.mlp.MLP
  nvis: 8
  layers:
  - !obj:pylearn2.models.mlp.PretrainedLayer {layer_name: code, layer_content: !pkl: "AUTOENCODER"}
  - !obj:pylearn2.models.mlp.RectifiedLinear {layer_name: features, dim: 6, irange: 0.3}
  - !obj:pylearn2.models.mlp.Softmax {layer_name: classes, n_classes: 2, irange: 0.1}""",
    "algorithm": """cost: !obj:pylearn2.costs.mlp.Default {}
  learning_rate: 0.2
  learning_rule: !obj:pylearn2.training_algorithms.learning_rule.Momentum {init_momentum: 0.8}""",
}

folder = Path(tempfile.mkdtemp())
figures = {}
for name, parts in (("autoencoder", AUTOENCODER), ("classifier", CLASSIFIER)):
    np.random.seed(1)
    text = TRAINED.format(path=folder / (name + ".pkl"), **parts).replace("AUTOENCODER", str(folder / "autoencoder.pkl"))
    train = yaml_parse.load(text)
    train.main_loop()
    channels = sorted(train.model.monitor.channels.items())
    figures[name] = {key: [float(v) for v in channel.val_record] for key, channel in channels if "seconds" not in key}
figures["weights"] = np.ravel(serial.load(str(folder / "autoencoder.pkl")).get_weights()).tolist()
print(json.dumps(figures))
