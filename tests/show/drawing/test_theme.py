"""Colours that stay apart for colour-blind readers, by simulation."""

import itertools

import numpy as np
import pytest

from mi_tutor.show.drawing import theme
from mi_tutor.show.superposition.phase import FATES

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(color: str) -> np.ndarray:
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(color: str, vision: str) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as seen with this vision."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    seen = np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)
    xyz = np.array(to_xyz) @ seen / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colors, vision: str) -> float:
    seen = [lab(color, vision) for color in colors]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


def contrast(color: str) -> float:
    y = float(linear(color) @ [0.2126, 0.7152, 0.0722])
    return 1.05 / (y + 0.05)


@pytest.mark.parametrize("vision", VISION)
def test_categorical_colours_stay_apart(vision):
    assert closest(theme.CATEGORICAL, vision) > 15  # about 2 can just be told apart


@pytest.mark.parametrize("vision", VISION)
def test_fates_stay_apart(vision):
    assert closest([fate.fill for fate in FATES], vision) > 15


def test_thin_lines_and_text_have_contrast_on_white():
    assert all(contrast(color) >= 3 for color in (*theme.CATEGORICAL, *theme.IMPORTANCE))
    assert contrast(theme.INK) >= 7 and contrast(theme.MUTED) >= 4.5


@pytest.mark.parametrize("vision", VISION)
def test_scales_run_monotonically_in_lightness(vision):
    sequential = [lab(color, vision)[0] for color in theme.SEQUENTIAL]
    assert (np.diff(sequential) < 0).all()
    diverging = [lab(color, vision)[0] for color in theme.DIVERGING]
    assert (np.diff(diverging[:5]) > 0).all() and (np.diff(diverging[4:]) < 0).all()


@pytest.mark.parametrize("vision", VISION)
def test_both_signs_of_the_diverging_scale_differ(vision):
    for negative, positive in zip(theme.DIVERGING[:3], theme.DIVERGING[:5:-1], strict=True):
        assert np.linalg.norm(lab(negative, vision) - lab(positive, vision)) > 15


def test_zero_is_white():
    assert theme.color_at(theme.DIVERGING, 0.5) == "#ffffff"


def test_luminance_and_text_colour_against_the_definition():
    for color in (*theme.SEQUENTIAL, *theme.DIVERGING):
        y = float(linear(color) @ [0.2126, 0.7152, 0.0722])
        assert theme.luminance(color) == pytest.approx(y, abs=1e-6)
        best = max(ratio("#000000", color), ratio("#ffffff", color))
        assert ratio(theme.text_on(color), color) == best >= 4.5


def ratio(a: str, b: str) -> float:
    low, high = sorted((theme.luminance(a), theme.luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_36_series_have_different_styles():
    styles = [theme.series_style(i) for i in range(36)]
    assert len(set(styles)) == 36
    for column in zip(*styles[:6], strict=True):
        assert len(set(column)) == 6
