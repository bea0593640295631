"""Sites: names, places and grids."""

import doctest

import pytest
import torch

from mi_tutor.lab.ground import sites
from mi_tutor.lab.ground.sites import COMPONENTS, Site, grid_sizes, hook_name, replaced, site_grid


def test_every_hook_is_there_with_the_promised_shape(tiny_gpt2):
    names = [hook_name(c, layer) for layer in range(3) for c in COMPONENTS]
    with torch.no_grad():
        _, cache = tiny_gpt2.run_with_cache(torch.full((2, 5), 7), names_filter=names)
    stream, heads, pattern = (2, 5, 24), (2, 5, 3, 8), (2, 3, 5, 5)
    shapes = {"pattern": pattern} | dict.fromkeys(("q", "k", "v", "z"), heads)
    for layer in range(3):
        for component in COMPONENTS:
            seen = cache[Site(component, layer).hook_name].shape
            assert seen == shapes.get(component, stream), component


WITH_HEADS = [(each, head) for each in COMPONENTS for head in (None, 2)]
WITH_HEADS = [one for one in WITH_HEADS if one[1] is None or one[0] in sites.HEAD_COMPONENTS]


@pytest.mark.parametrize(("component", "head"), WITH_HEADS)
@pytest.mark.parametrize("position", [None, 1, -1])
def test_replaced_touches_the_site_and_nothing_else(component, position, head):
    pattern, split = component == "pattern", component in sites.HEAD_COMPONENTS
    shape = (2, 3, 5, 5) if pattern else (2, 5, 3, 4) if split else (2, 5, 4)
    old, new = torch.zeros(shape), torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape)
    seen = replaced(old, Site(component, 0, position, head), new)
    assert not old.any()
    for index in torch.cartesian_prod(*map(torch.arange, shape)).tolist():
        at = index[2] if pattern else index[1]
        in_head = index[1] if pattern else index[2]
        inside = position in (None, at, at - 5) and (not split or head in (None, in_head))
        assert seen[tuple(index)] == (new[tuple(index)] if inside else 0)


def test_a_grid_is_in_rows():
    grid = site_grid("q", ("layer", "position", "head"), {"layer": 2, "position": 3, "head": 2})
    values = torch.arange(12).reshape(2, 3, 2)
    for value, site in enumerate(grid):
        assert values[site.layer, site.position, site.head] == value
    by_head = site_grid("z", ("head", "layer"), {"layer": 2, "head": 2, "position": 9})
    assert [(s.layer, s.head, s.position) for s in by_head] == [
        (0, 0, None),
        (1, 0, None),
        (0, 1, None),
        (1, 1, None),
    ]


def test_sizes_are_the_activations():
    cache = {
        hook_name("k", 0): torch.zeros(1, 5, 2, 4),
        hook_name("pattern", 0): torch.zeros(1, 3, 5, 5),
        hook_name("mlp_out", 0): torch.zeros(1, 5, 8),
    }
    assert grid_sizes(cache, "k", 2) == {"layer": 2, "position": 5, "head": 2}
    assert grid_sizes(cache, "pattern", 2) == {"layer": 2, "position": 5, "head": 3}
    assert grid_sizes(cache, "mlp_out", 2) == {"layer": 2, "position": 5}


@pytest.mark.parametrize("axes", [("position",), ("layer", "layer"), ("layer", "neuron"), ()])
def test_impossible_axes(axes):
    with pytest.raises(ValueError, match='axes should be "layer"'):
        site_grid("z", axes, {"layer": 1, "position": 1, "head": 1})


def test_heads_where_there_are_none():
    with pytest.raises(ValueError, match=r"mlp_out is not split into heads"):
        Site("mlp_out", 0, head=1)
    with pytest.raises(ValueError, match=r"mlp_out is not split into heads"):
        site_grid("mlp_out", ("layer", "head"), {"layer": 1, "head": 2})
    with pytest.raises(ValueError, match=r"got 'hook_z'"):
        Site("hook_z", 0)


def test_heads_asked_for_a_component_without(primer):
    with pytest.raises(ValueError, match="mlp_out has no axis"):
        site_grid("mlp_out", ("layer", "head"), {"layer": 1, "position": 2})


def test_examples():
    assert doctest.testmod(sites).failed == 0
