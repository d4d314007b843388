# Exports models of torchvision and transformers, and a bidirectional LSTM, by both of PyTorch's exporters at several opsets into
# .cache/models/exports. Weights are drawn at random: what is tried is what exporters write, not what a model knows. Models that are there already
# are left alone.
#   .venv-models/bin/python scripts/models/export.py [name ...]
import contextlib
import io
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

folder = Path(__file__).resolve().parents[2] / ".cache/models/exports"
# By TorchScript (dynamo=False) and by torch.export (dynamo=True).
common = [(False, 13), (False, 17), (True, 18), (True, 20)]
every = [(False, opset) for opset in range(13, 21)] + [(True, opset) for opset in range(18, 21)]
large = [(False, 17), (True, 18)]


def vision(name):
    import torchvision

    def make():
        options = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
        return getattr(torchvision.models, name)(weights=None, **options), (torch.randn(2, 3, 224, 224),), ["image"], ["scores"], [{0: "N"}]

    return make


class Answers(nn.Module):
    """A transformers model as a function of tensors alone."""

    def __init__(self, model, field):
        super().__init__()
        self.model, self.field = model, field

    def forward(self, ids, mask):
        return getattr(self.model(input_ids=ids, attention_mask=mask), self.field)


def text(config_name, model_name, field, **sizes):
    def make():
        import transformers

        config = getattr(transformers, config_name)(vocab_size=1000, attn_implementation="eager", use_cache=False, **sizes)
        model = Answers(getattr(transformers, model_name)(config), field)
        ids = torch.randint(1, 1000, (2, 16))
        return model, (ids, torch.ones_like(ids)), ["input_ids", "attention_mask"], ["answers"], [{0: "N", 1: "T"}, {0: "N", 1: "T"}]

    return make


class BiLstm(nn.Module):
    """As ELMo: token embeddings, two bidirectional layers joined by a residual, scores of each token's successor."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 64)
        self.first = nn.LSTM(64, 32, bidirectional=True, batch_first=True)
        self.second = nn.LSTM(64, 32, bidirectional=True, batch_first=True)
        self.scores = nn.Linear(64, 1000)

    def forward(self, ids):
        one, _ = self.first(self.embed(ids))
        two, _ = self.second(one)
        return self.scores(one + two)


def elmo():
    return BiLstm(), (torch.randint(1, 1000, (2, 16)),), ["ids"], ["scores"], [{0: "N", 1: "T"}]


small = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 256, "max_position_embeddings": 64}
models = {
    "resnet50": (vision("resnet50"), every),
    "googlenet": (vision("googlenet"), common),
    "vgg19": (vision("vgg19"), large),
    "mobilenet_v3_large": (vision("mobilenet_v3_large"), common),
    "vit_b_16": (vision("vit_b_16"), large),
    "convnext_tiny": (vision("convnext_tiny"), common),
    "bert": (text("BertConfig", "BertForSequenceClassification", "logits", **small), common),
    "distilbert": (
        text(
            "DistilBertConfig", "DistilBertForSequenceClassification", "logits", dim=128, n_layers=4, n_heads=4, hidden_dim=256, max_position_embeddings=64
        ),
        common,
    ),
    "gpt2": (text("GPT2Config", "GPT2LMHeadModel", "logits", n_embd=128, n_layer=4, n_head=4, n_positions=64), common),
    "elmo": (elmo, common),
}


def export(name, make, dynamo, opset):
    path = folder / f"{name}-{'dynamo' if dynamo else 'script'}-{opset}.onnx"
    if path.exists():
        return
    torch.manual_seed(0)
    model, example, inputs, outputs, dims = make()
    named = dict(zip(inputs, dims))
    options = {"dynamic_axes": {**named, outputs[0]: {0: "N"}}}
    if dynamo:
        options = {"dynamic_shapes": tuple({axis: torch.export.Dim.DYNAMIC for axis in d} for d in dims)}
    partial = path.with_suffix(".part")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), example, str(partial), input_names=inputs, output_names=outputs, opset_version=opset, dynamo=dynamo, external_data=False, **options
        )
    partial.rename(path)
    print(path.name, path.stat().st_size, flush=True)


def main():
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, (make, forms) in models.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        for dynamo, opset in forms:
            try:
                export(name, make, dynamo, opset)
            except Exception as error:
                failed.append(name)
                print(f"{name}, {'dynamo' if dynamo else 'script'} {opset}: {type(error).__name__}: {str(error).strip().splitlines()[0]}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
