"""Write foreign_weights/torch*: autoencoders of PyTorch, and what they make of digits.

Needs PyTorch and safetensors::

    python tests/golden/make_torch_weights.py
"""

import torch
from safetensors.torch import save_file
from torch import nn
from weights_cases import draw, images, path, write_outputs


class Strided(nn.Module):
    """Strides down to four numbers, and up again."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.code = nn.Linear(147, 4)
        self.dense = nn.Linear(4, 147)
        self.deconv1 = nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1)
        self.output = nn.ConvTranspose2d(2, 1, 5, stride=2, padding=2, output_padding=1)

    def forward(self, x):
        y = torch.relu(self.conv2(torch.relu(self.conv1(x.view(-1, 1, 28, 28)))))
        y = torch.relu(self.dense(self.code(y.flatten(1)))).view(-1, 3, 7, 7)
        return torch.sigmoid(self.output(torch.relu(self.deconv1(y))))


class Unpooled(nn.Module):
    """ImageAutoencoder(maps=(2, 3), pool=2)."""

    def __init__(self):
        super().__init__()
        self.conv_A, self.conv_B = nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(2, 3, 5, padding=2)
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.deconv_B = nn.ConvTranspose2d(3, 2, 5, padding=2, bias=False)
        self.deconv_A = nn.ConvTranspose2d(2, 1, 5, padding=2, bias=False)

    def forward(self, x):
        y, first = self.pool(torch.relu(self.conv_A(x.view(-1, 1, 28, 28))))
        y, second = self.pool(torch.relu(self.conv_B(y)))
        return self.deconv_A(self.unpool(self.deconv_B(self.unpool(y, second)), first))


class Tied(nn.Module):
    """Autoencoder(n_visible=784, n_hidden=4), saved with its weights twice."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(784, 4), nn.Linear(4, 784)

    def forward(self, x):
        return torch.sigmoid(self.decoder(torch.sigmoid(self.encoder(x))))


outputs = {}
for name, model in {"strided": Strided(), "unpooled": Unpooled(), "tied": Tied()}.items():
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.tensor(draw(tuple(parameter.shape), seed)))
        if name == "tied":
            model.decoder.weight.copy_(model.encoder.weight.t())
        outputs[name] = model(torch.tensor(images())).numpy()
    torch.save(model.state_dict(), path("torch_" + name + ".pt"))
    save_file(model.state_dict(), path("torch_" + name + ".safetensors"))
    torch.save(model.state_dict(), path("torch_" + name + "_before_1.6.pt"), _use_new_zipfile_serialization=False)
write_outputs("torch", outputs)
