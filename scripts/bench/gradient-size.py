"""Models of gradient-size.mjs, by torch, torchvision and transformers: architectures at their full size, weights drawn at random. Arguments: a
folder, then names. Writes <name>.onnx with its weights beside it (by torch.onnx, a scalar output `loss`) and, beside that, <name>.npz: the feeds,
PyTorch's loss and gradients by every parameter, computed in float64, under `seconds` the seconds of the processor that one step of float32 takes
PyTorch on one thread, and under `difference` how far its gradients are from those then. Prints a line of JSON for each."""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
import torch
from rivals import farthest

warnings.filterwarnings("ignore")
torch.manual_seed(0)
torch.set_num_threads(1)
folder, *names = sys.argv[1:]


class Loss(torch.nn.Module):
    """Cross-entropy of a network's scores, the last axis the classes, in ops that every package tried here differentiates; targets are one-hot."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, target):
        scores = self.network(x)
        scores = scores if isinstance(scores, torch.Tensor) else scores.logits
        probabilities = torch.softmax(scores.reshape(-1, scores.shape[-1]), -1)
        return -(torch.log(probabilities) * target).sum() / target.shape[0]


def one_hot(classes, count):
    return torch.nn.functional.one_hot(classes, count).float()


def images():
    return torch.rand(2, 3, 224, 224), one_hot(torch.tensor([1, 7]), 1000)


def tokens(vocabulary, length=64):
    return torch.randint(0, vocabulary, (2, length))


def resnet50():
    from torchvision.models import resnet50 as make

    return make(), images()


def vit_b():
    from torchvision.models import vit_b_16 as make

    network = make()
    # its head begins at zero, and so would every gradient before it
    torch.nn.init.normal_(network.heads.head.weight, std=0.02)
    return network, images()


def bert_base():
    from transformers import BertConfig, BertForSequenceClassification as Make

    return Make(BertConfig(attn_implementation="eager")), (tokens(30522), one_hot(torch.tensor([0, 1]), 2))


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel as Make

    ids = tokens(50257)
    return Make(GPT2Config(attn_implementation="eager", use_cache=False)), (ids, one_hot(ids.roll(-1, 1).reshape(-1), 50257))


makers = {"resnet50": resnet50, "vit_b": vit_b, "bert_base": bert_base, "gpt2": gpt2}


def gradients_of(loss):
    # a weight with two names stands in the file under either
    named = loss.named_parameters(remove_duplicate=False)
    return {f"grad/{k}": v.grad.numpy().copy() for k, v in named if v.grad is not None}


def step(loss, feeds):
    loss.zero_grad()
    value = loss(*feeds)
    value.backward()
    return value


for name in names:
    network, feeds = makers[name]()
    loss = Loss(network).eval()
    path = pathlib.Path(folder) / f"{name}.onnx"
    with torch.no_grad():
        program = torch.onnx.export(
            loss, feeds, dynamo=True, opset_version=18, optimize=False, input_names=["x", "target"], output_names=["loss"], verbose=False
        )
    program.save(path, external_data=True)
    turns = []
    for _ in range(3):
        begin = time.process_time()
        step(loss, feeds)
        turns.append(time.process_time() - begin)
    single = gradients_of(loss)
    value = step(loss.double(), [v.double() if v.is_floating_point() else v for v in feeds])
    gradients = gradients_of(loss)
    difference = farthest(gradients, single)
    np.savez(
        path.with_suffix(".npz"),
        x=feeds[0].numpy(),
        target=feeds[1].numpy(),
        loss=value.detach().numpy(),
        seconds=min(turns),
        difference=difference,
        **gradients,
    )
    parameters = sum(p.numel() for p in loss.parameters())
    print(json.dumps({"name": name, "parameters": parameters, "gradients": len(gradients), "difference": difference}), flush=True)
