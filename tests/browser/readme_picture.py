"""The README's picture, from two screenshots of the tests: `make picture`.

Above: a wrong answer and what the check says to it. Below: the swap's widget. A palette keeps it small.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
PARTS = ("picture of a wrong answer", "picture of a swap")
TARGET = HERE.parents[1] / "docs" / "pictures" / "a-wrong-answer-and-a-swap.png"
MARGIN, MOST_BYTES = 24, 300_000


def main() -> None:
    parts = [Image.open(HERE / "seen" / f"{name}.png").convert("RGB") for name in PARTS]
    width = max(part.width for part in parts) + 2 * MARGIN
    height = sum(part.height + MARGIN for part in parts) + MARGIN
    picture = Image.new("RGB", (width, height), "white")
    top = MARGIN
    for part in parts:
        picture.paste(part, (MARGIN, top))
        top += part.height + MARGIN
    TARGET.parent.mkdir(exist_ok=True)
    picture.quantize(128).save(TARGET, optimize=True)
    size = TARGET.stat().st_size
    assert size <= MOST_BYTES, f"{size} bytes, more than {MOST_BYTES}"
    print(f"{TARGET.relative_to(Path.cwd())}: {width} x {height}, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
