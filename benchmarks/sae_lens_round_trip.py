"""Do SAELens and mi_tutor.lab.dictionaries read each other's dictionaries?

    python benchmarks/sae_lens_round_trip.py PYTHON

PYTHON is the interpreter of an environment that has SAELens (`pip install sae-lens`), which cannot share one
with this project. Both sides write dictionaries with random weights, and what they compute from random inputs;
each opens the other's and computes the same. Prints the largest difference of each, and fails if one is above
1e-4. What SAELens writes and this project does not read is refused, and the sentence printed; files of its
versions 3 to 5 have `sae_lens_old_files.py`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

D_IN, D_SAE, D_OUT, N = 12, 40, 9, 200
LARGEST = 1e-4


def main(python: str) -> None:
    """Write ours, let SAELens read them and write its own, read those."""
    from mi_tutor.lab.dictionaries import JumpRelu, Relu, Sae, TopK, open_sae, save_sae

    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        x = draw(N, D_IN)
        for kind in (Relu(), TopK(k=5), JumpRelu()):
            for d_out in (D_IN,) if isinstance(kind, TopK) else (D_IN, D_OUT):
                sae = Sae(
                    W_enc=draw(D_IN, D_SAE),
                    b_enc=draw(D_SAE),
                    W_dec=draw(D_SAE, d_out),
                    b_dec=draw(d_out),
                    kind=kind,
                    threshold=draw(D_SAE).abs() if isinstance(kind, JumpRelu) else None,
                    centred=d_out == D_IN,
                )
                path = folder / "ours" / f"{kind.name}{'' if sae.centred else ' transcoder'}"
                save_sae(path, sae, {"hook_name": "blocks.2.hook_resid_pre"})
                keep(path, x, sae.encode(x), sae(x))
        subprocess.run([python, "-W", "ignore", __file__, "--inside", name], check=True)
        for path in sorted((folder / "theirs").iterdir()):
            sae, seen = open_sae(path), load_file(path / "seen.safetensors")
            tell("theirs, opened here", path, seen, sae.encode(seen["x"]), sae(seen["x"]))
        for path in sorted((folder / "refused").iterdir()):
            try:
                open_sae(path)
            except ValueError as error:
                print(f"refused              {path.name:<24} {error}")
            else:
                raise AssertionError(f"{path.name} should be refused")


def inside(folder: Path) -> None:
    """The other side: reads and writes with SAELens itself."""
    import sae_lens
    from sae_lens import SAE
    from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
    from sae_lens.saes.gated_sae import GatedSAE, GatedSAEConfig
    from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig
    from sae_lens.saes.matryoshka_batchtopk_sae import (
        MatryoshkaBatchTopKTrainingSAE,
        MatryoshkaBatchTopKTrainingSAEConfig,
    )
    from sae_lens.saes.standard_sae import StandardSAE, StandardSAEConfig
    from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig
    from sae_lens.saes.transcoder import (
        JumpReLUTranscoder,
        JumpReLUTranscoderConfig,
        SkipTranscoder,
        SkipTranscoderConfig,
        Transcoder,
        TranscoderConfig,
    )

    print(f"SAELens {sae_lens.__version__}, torch {torch.__version__}")
    for path in sorted((folder / "ours").iterdir()):
        sae = SAE.load_from_disk(path)
        assert sae.cfg.metadata.hook_name == "blocks.2.hook_resid_pre"
        seen = load_file(path / "seen.safetensors")
        with torch.no_grad():
            tell("ours, opened there", path, seen, sae.encode(seen["x"]), sae(seen["x"]))

    sizes = {"d_in": D_IN, "d_sae": D_SAE}
    across = sizes | {"d_out": D_OUT, "apply_b_dec_to_input": False}
    made = {
        "standard": StandardSAE(StandardSAEConfig(**sizes)),
        "standard, not centred": StandardSAE(
            StandardSAEConfig(**sizes, apply_b_dec_to_input=False)
        ),
        "topk": TopKSAE(TopKSAEConfig(**sizes, k=5)),
        "topk, rescaled": TopKSAE(TopKSAEConfig(**sizes, k=5, rescale_acts_by_decoder_norm=True)),
        "jumprelu": JumpReLUSAE(JumpReLUSAEConfig(**sizes)),
        "gated": GatedSAE(GatedSAEConfig(**sizes)),
        "transcoder": Transcoder(TranscoderConfig(**across)),
        "jumprelu transcoder": JumpReLUTranscoder(JumpReLUTranscoderConfig(**across)),
        "batchtopk, in training": BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**sizes, k=5)),
        "matryoshka, in training": MatryoshkaBatchTopKTrainingSAE(
            MatryoshkaBatchTopKTrainingSAEConfig(**sizes, k=5, matryoshka_widths=[8, D_SAE])
        ),
    }
    refused = {
        "skip transcoder": SkipTranscoder(SkipTranscoderConfig(**across)),
        "layer norm": StandardSAE(StandardSAEConfig(**sizes, normalize_activations="layer_norm")),
        "all heads": StandardSAE(StandardSAEConfig(**sizes, reshape_activations="hook_z")),
    }
    for name, sae in refused.items():
        sae.save_model(folder / "refused" / name)
    torch.manual_seed(1)
    for name, sae in made.items():
        with torch.no_grad():
            for parameter in sae.parameters():
                parameter.copy_(torch.randn_like(parameter))
            if hasattr(sae, "threshold"):
                sae.threshold.abs_()
            x = torch.randn(N, D_IN)
            path = folder / "theirs" / name
            if hasattr(sae, "topk_threshold"):  # the numbers are those of what comes of it
                sae.topk_threshold.fill_(4.0)
                sae.save_model(path)
                sae.save_inference_model(folder / "inference" / name)
                sae = SAE.load_from_disk(folder / "inference" / name)
            else:
                sae.save_model(path)
            keep(path, x, sae.encode(x), sae(x))


def keep(path: Path, x: torch.Tensor, latents: torch.Tensor, x_hat: torch.Tensor) -> None:
    """Remember what a dictionary computed."""
    save_file({"x": x, "latents": latents.contiguous(), "x_hat": x_hat}, path / "seen.safetensors")


def tell(
    title: str,
    path: Path,
    seen: dict[str, torch.Tensor],
    latents: torch.Tensor,
    x_hat: torch.Tensor,
) -> None:
    """Print the largest difference; fail if it is not rounding, or the latents are not sparse but absent."""
    off = max(
        (latents - seen["latents"]).abs().max().item(), (x_hat - seen["x_hat"]).abs().max().item()
    )
    l0 = (latents > 0).float().sum(dim=-1).mean().item()
    print(f"{title:<20} {path.name:<24} L0 {l0:4.1f}   largest difference {off:.1e}")
    assert off < LARGEST and l0 > 1, "the two sides disagree"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit(__doc__)
