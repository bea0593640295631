"""Does `mi_tutor.lab` give on a GPU what it gives on the CPU, and how fast is it there?

    python benchmarks/gpu.py [--device cuda] [--out docs/gpu.md]
    python benchmarks/gpu.py --device cpu --small         # whether this script runs; what it prints means nothing

It needs a checkout, and of the packages that `pip install -e .` brings

    torch (with CUDA), numpy, einops, jaxtyping, tqdm, safetensors, tokenizers
    transformer-lens    to open specimens; without it the rows that need them say so

Markdown goes to the standard output, progress to the standard error. It is meant to take less than four minutes on
a GPU. The exit status is 1 if something has to be mended.
"""

import argparse
import datetime
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout will do

import torch
from gpu_agreement import (
    TOLERANCE,
    Row,
    draws_alike,
    example_rows,
    exercise_rows,
    trial_rows,
    unreached,
)
from gpu_examples import examples
from gpu_speed import SMALL, Sizes, Timed, speed_rows
from gpu_trials import TRIALS

from mi_tutor.peak import peak_bytes
from mi_tutor.teach.registry import exercises

AnyRow = TypeVar("AnyRow", Row, Timed)
PACKAGES = ("torch", "numpy", "transformer-lens", "transformers")
LONG = {"superposition.optimum.phase_optimum"}  # an example of many thousand small operations


def main() -> int:
    """Print the report."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--device", default="cuda", help="cuda (the default), cuda:1, cpu")
    parser.add_argument("--small", action="store_true", help="one case each, and tiny sizes")
    parser.add_argument("--date", default=str(datetime.date.today()), help="what the report says")
    parser.add_argument("--out", type=Path, help="write the report to this file too")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            parser.error("torch sees no CUDA device. Whether the script runs: --device cpu --small")
        torch.cuda.set_device(device)
    begun = time.monotonic()
    parts = agreement(device, options.small)
    times = collected("times", speed_rows(device, SMALL if options.small else Sizes()))
    lines = [
        *title(device, options.date),
        *agreement_section(parts, device),
        *speed_section(times),
        f"All this took {time.monotonic() - begun:.0f} seconds.",
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return not all(row.fine for part in (*parts, times) for row in part)


def title(device: torch.device, date: str) -> Iterator[str]:
    """What was measured, when, on what."""
    yield f"# On {device_name(device)}\n"
    yield f"{date}, by `python benchmarks/gpu.py`: {', '.join(map(with_version, PACKAGES))},"
    built = f"CUDA {torch.version.cuda}, " if torch.version.cuda else ""
    yield f"{built}Python {platform.python_version()}, {platform.system()}.\n"
    if device.type == "cpu":
        yield "Both sides of every comparison ran on the CPU. It shows that this script runs, and no more.\n"


def device_name(device: torch.device) -> str:
    """What the device calls itself."""
    if device.type != "cuda":
        return f"the {device.type.upper()}"
    found = torch.cuda.get_device_properties(device)
    return f"an {found.name} ({found.total_memory / 2**30:.0f} GiB)"


def with_version(package: str) -> str:
    """A package and its version."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {package}"


def agreement(device: torch.device, small: bool) -> tuple[list[Row], ...]:
    """The rows of exercises, of other calls, and of examples."""
    shown = [each for each in examples() if not small or each.name not in LONG]
    return (
        collected("exercises", exercise_rows(exercises(), device, 1 if small else None)),
        collected("calls", trial_rows(TRIALS, device)),
        collected("examples", example_rows(shown, device)),
    )


def collected(what: str, rows: Iterable[AnyRow]) -> list[AnyRow]:
    """The rows. Faults, and all times, are told at once."""
    begun, found = time.monotonic(), []
    for row in rows:
        found.append(row)
        if isinstance(row, Timed) or not row.fine:
            print(*row.cells, sep=" · ", file=sys.stderr, flush=True)
    print(f"{len(found)} {what}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


def agreement_section(parts: Sequence[Sequence[Row]], device: torch.device) -> Iterator[str]:
    """The comparison with the CPU."""
    of_exercises, of_calls, of_examples = parts
    yield "## The same as on the CPU?\n"
    yield f"{tally([row for part in parts for row in part])}\n"
    yield "Differences are relative to the largest entry of the same tensor, the largest one over all cases and"
    yield "gradients. Float32 products are not rounded to TF32 here. " + about_draws(device) + "\n"
    yield "References of the exercises, on the exercises' cases and within the exercises' tolerances:\n"
    yield from table(("exercise", "compared", "largest difference", "verdict"), of_exercises)
    yield f"Other functions, one call each, within {TOLERANCE.rtol:g} of the largest entry + {TOLERANCE.atol:g}:\n"
    yield from table(("function", "compared", "largest difference", "verdict"), of_calls)
    yield f"Examples in docstrings, within the same. {tally(of_examples)} All but the same:\n"
    others = [row for row in of_examples if row.verdict != "same"]
    yield from table(("function", "compared", "largest difference", "verdict"), others)
    left = unreached(exercises(), TRIALS, examples())
    yield f"Not compared by themselves, though others call most of them: {', '.join(left)}.\n"


def about_draws(device: torch.device) -> str:
    """What is done about random numbers."""
    if draws_alike(device):
        return "A seed gives the same random numbers on both sides."
    return (
        "A seed gives other random numbers there. So random data are compared in distribution, by the\n"
        "summaries that their exercises judge with; and of an example that draws, only kinds, shapes and dtypes."
    )


def tally(rows: Sequence[Row]) -> str:
    """How many rows are what, and the largest difference."""
    skipped = sum(row.verdict.startswith("skipped") for row in rows)
    faults = [row.name for row in rows if not row.fine]
    largest = max(
        (row.largest or 0.0 for row in rows if row.compared != "in distribution"), default=0.0
    )
    said = f"{len(rows) - skipped - len(faults)} of {len(rows)} agree, {skipped} were skipped"
    faulty = f" **To mend: {', '.join(faults)}.**" if faults else ""
    return f"{said}; the largest difference is {largest:.1e}.{faulty}"


def speed_section(times: Sequence[Timed]) -> Iterator[str]:
    """The table of times."""
    yield "## How fast?\n"
    yield "Share: seconds of the matrix products that the work cannot do without, as torch.mm does them here one"
    yield "after another, divided by the seconds of the work; medians. TF32: products of float32 numbers rounded"
    yield "to 10 bits. bf16: `train_sae(autocast=True)`, and what the recipe of atlas does by itself. Peak: the"
    yield "most GiB of the card's memory that were in use at once, weights and Adam's moments included.\n"
    yield from table(("work", "precision", "time", "share", "peak, GiB"), times)
    yield f"The process itself needed at most {peak_bytes() / 2**30:.1f} GiB of memory.\n"


def table(heads: Sequence[str], rows: Sequence[Row | Timed]) -> Iterator[str]:
    """A Markdown table of the rows' cells."""
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield (
            "| "
            + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row.cells)
            + " |"
        )
    yield ""


if __name__ == "__main__":
    sys.exit(main())
