"""How much faster are batched sweeps, and how good is the estimate from one gradient?

    python benchmarks/patching.py [--model NAME] [--threads 1 2] [--positions 16]

All figures are from this one run. The sweep patches the output z of every head at every position of one pair of
prompts, from the clean into the corrupted run; with 4 layers of 4 heads and 16 positions these are 256 sites.

- loop: TransformerLens's `get_act_patch_attn_head_out_by_pos`, one forward pass per site.
- one batch: all sites as rows of one batch through the model with a hook.
- sweep: `denoise`, both runs and metrics included.
- attribution: `attribution_patching`, two forward passes and one backward pass; and `integrated_gradients`.

Without --model it takes atlas, or an untrained GPT-2 of about its size while there is no atlas: speed does not
depend on what a model has learned. The agreement of the estimates does, so it is measured on trained specimens.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import torch
from timing import median
from torch import nn

from mi_tutor.lab.ground.metrics import Metric, prefers
from mi_tutor.lab.ground.prompts import PairBatch, pair_batches
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import site_grid
from mi_tutor.lab.patching.attribution import (
    agreement,
    attribution_patching,
    false_negatives,
    integrated_gradients,
)
from mi_tutor.lab.patching.batched import N_ROWS, copies, metric_by_hooks, passes, start
from mi_tutor.lab.patching.sweeps import denoise
from mi_tutor.specimens import open_specimen, specimen_names
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.pairs import PromptPair, make_pair, question_pairs, story_pairs
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out

AXES = ("layer", "position", "head")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a specimen with the world's vocabulary, or a directory")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--positions", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    name = options.model or ("atlas" if "atlas" in specimen_names() else None)
    with tempfile.TemporaryDirectory() as directory:
        model = open_specimen(name or untrained(Path(directory)), device="cpu")
    for n_threads in options.threads:
        torch.set_num_threads(n_threads)
        print_speed(model, name or "untrained", options.positions, options.repeats)
    torch.set_num_threads(1)
    print_agreement("primer", open_specimen("primer", device="cpu"), primer_pairs)
    if name:
        print_agreement(name, model, world_pairs)


def print_speed(model: nn.Module, name: str, n_positions: int, repeats: int) -> None:
    """Time every way to sweep over all heads and positions."""
    generator = torch.Generator().manual_seed(0)
    prompts = torch.randint(2, model.cfg.d_vocab, (2, 1, n_positions), generator=generator)
    clean, corrupted = prompts
    ends = clean, corrupted, prefers(torch.tensor([5]), torch.tensor([9]))
    found, seconds = {}, {}
    for label, way, n in (
        ("TransformerLens's loop", their_loop, max(1, repeats // 3)),
        ("one batch with a hook", one_batch, repeats),
        ("sweep", lambda *ends: denoise(*ends, "z", AXES).values, 3 * repeats),
        ("attribution", lambda *ends: attribution_patching(*ends, "z", AXES), 3 * repeats),
        ("integrated gradients", lambda *ends: integrated_gradients(*ends, "z", AXES), repeats),
    ):
        seconds[label], found[label] = median(lambda way=way: way(model, *ends), n)
    cfg = model.cfg
    print(
        f"\n{name}: {cfg.n_layers} layers, {cfg.n_heads} heads, d_model {cfg.d_model}, {n_positions} positions, "
        f"{found['sweep'].numel()} sites, {torch.get_num_threads()} thread(s), torch {torch.__version__}"
    )
    slowest = seconds["TransformerLens's loop"]
    for label, taken in seconds.items():
        print(f"  {label:<24}{1e3 * taken:>10.1f} ms{slowest / taken:>9.1f}x")
    for label in ("one batch with a hook", "sweep"):
        difference = (found[label] - found["TransformerLens's loop"]).abs().max()
        print(f"  largest difference to the loop, {label}: {difference:.1e}")
    print_overhead(model, corrupted, repeats)


def print_overhead(model: nn.Module, tokens: torch.Tensor, repeats: int) -> None:
    """What looking costs: one forward pass with nothing, one hook, or everything kept."""

    def same(activation: torch.Tensor, hook: object) -> torch.Tensor:
        return activation

    hook = ("blocks.1.attn.hook_z", same)
    with torch.no_grad():
        bare, _ = median(lambda: model(tokens), 10 * repeats)
        ways = {
            "with one hook": lambda: model.run_with_hooks(tokens, fwd_hooks=[hook]),
            "with everything cached": lambda: model.run_with_cache(tokens),
            "plain, everything kept": lambda: capture(model, tokens, ("resid_pre", "z", "mlp_out")),
        }
        print(f"  a bare forward pass: {1e3 * bare:.1f} ms")
        for label, run in ways.items():
            print(f"    {label:<24}{median(run, 10 * repeats)[0] / bare:>6.2f}x")


def print_agreement(
    name: str, model: nn.Module, pairs: Callable[[nn.Module], dict[str, Sequence[PromptPair]]]
) -> None:
    """Estimates against exact effects, component by component."""
    for task, prompts in pairs(model).items():
        batch: PairBatch = max(pair_batches(model, prompts), key=lambda b: len(b.clean))
        metric = prefers(batch.answers, batch.wrongs)
        ends = batch.clean, batch.corrupted, metric
        print(
            f"\n{name}, {task}: {len(batch.clean)} pairs; correlation with the exact effects over all sites"
        )
        print(f"  {'':<10}{'one gradient':>24}{'10 on the way':>24}   largest effect")
        print(f"  {'':<10}{'Pearson':>12}{'Spearman':>12}{'Pearson':>12}{'Spearman':>12}")
        for component in ("resid_pre", "mlp_out", "z", "q", "k", "v"):
            axes = AXES if component in "qkvz" else AXES[:2]
            exact = denoise(model, *ends, component, axes)
            rough = attribution_patching(model, *ends, component, axes)
            fine = integrated_gradients(model, *ends, component, axes)
            numbers = (*agreement(exact, rough), *agreement(exact, fine))
            print(
                f"  {component:<10}"
                + "".join(f"{number:>12.3f}" for number in numbers)
                + f"{exact.effect.abs().max():>12.2f}"
            )
            for site, true, guess in false_negatives(exact, rough, k=2):
                print(
                    f"    most underestimated: {site!s:<18} is {true:+.2f}, estimated {guess:+.2f}"
                )


def their_loop(
    model: nn.Module, clean: torch.Tensor, corrupted: torch.Tensor, metric: Metric
) -> torch.Tensor:
    """TransformerLens's own sweep, without its progress bar."""
    from transformer_lens import patching

    patching.tqdm = lambda rows: rows
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
        return patching.get_act_patch_attn_head_out_by_pos(
            model, corrupted, cache, lambda logits: metric(logits).mean()
        )


@torch.no_grad()
def one_batch(
    model: nn.Module, clean: torch.Tensor, corrupted: torch.Tensor, metric: Metric
) -> torch.Tensor:
    """Whole runs with a hook, many rows each: what any architecture gets."""
    cfg, source = model.cfg, capture(model, clean, ["z"])
    sizes = {"layer": cfg.n_layers, "position": clean.shape[1], "head": cfg.n_heads}
    run, values = start(model, corrupted, ["z"]), []
    for sites in passes(site_grid("z", AXES, sizes), N_ROWS):
        value = copies(run.base[sites[0].hook_name], source, sites)
        values.append(metric_by_hooks(run, metric, "z", sites[0].layer, value))
    return torch.cat(values).mean(dim=-1).reshape(*sizes.values())


def untrained(directory: Path, **shape: int) -> Path:
    """A random GPT-2 of atlas's size with the world's tokenizer. shape: where it should be another size."""
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = Corpus().tokenizer
    tokenizer.save(directory)
    size = {"n_positions": 96, "n_embd": 128, "n_layer": 4, "n_head": 4}
    size |= {"vocab_size": len(tokenizer)} | shape
    config = GPT2Config(**size, bos_token_id=0, eos_token_id=0)
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(directory)
    return directory


def world_pairs(model: nn.Module) -> dict[str, Sequence[PromptPair]]:
    """Held-out stories and two-hop questions."""
    rng, geography = random.Random(0), Corpus().geography
    people = [pair for pair in permutations(NAMES, 2) if pair_is_held_out(*pair)]
    english = list(geography.questions(["english"]))
    asked = rng.sample([q for q in english if q.relation == "capital" and q.held_out_by], 60)
    return {
        "stories": list(story_pairs(people, model.tokenizer, rng)),
        "two-hop questions": list(question_pairs(asked, model.tokenizer, rng)),
    }


def primer_pairs(model: nn.Module) -> dict[str, Sequence[PromptPair]]:
    """Held-out stories, and facts."""
    from mi_tutor.specimens.primer import language

    rng, stories, facts = random.Random(0), [], []
    for first, second in rng.sample(language.name_pairs(held_out=True), 40):
        seed = rng.random()
        one, other = (
            language.story(first, second, giver, random.Random(seed)) for giver in (second, first)
        )
        stories.append(make_pair(one.text, other.text, one.answer, other.answer, model.tokenizer))
    for country, city in language.CAPITALS.items():
        other = rng.choice([each for each in language.CAPITALS if each != country])
        texts = (f"The capital of {each} is" for each in (country, other))
        answers = f" {city}", f" {language.CAPITALS[other]}"
        facts.append(make_pair(*texts, *answers, model.tokenizer))
    return {"stories": stories, "facts": facts}


if __name__ == "__main__":
    main()
