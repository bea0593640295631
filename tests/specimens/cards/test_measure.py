"""When two measurements of the same behaviour agree."""

from __future__ import annotations

from mi_tutor.specimens.cards import Measure


def table(*rows):
    columns = ("F1", "precision", "recall", "AUROC", "latent")
    value = [list(row) for row in rows]
    return Measure(name="concepts", meaning="", value=value, tolerance=0.05, columns=columns)


def test_precision_of_a_latent_that_means_nothing_is_not_compared_but_its_f1_is():
    never, once = (0.0, 0.0, 0.0, 0.535, 122), (0.044, 0.25, 0.024, 0.535, 122)
    assert table(never).agrees_with(table(once))
    assert not table(never).agrees_with(table((0.06, 0.25, 0.03, 0.535, 122)))
    assert not table((0.9, 0.9, 0.9, 0.9, 1)).agrees_with(table((0.9, 0.8, 1.0, 0.9, 1)))
    assert not table(never).agrees_with(table((0.0, 0.0, 0.0, 0.6, 122)))


def test_numbers_and_other_tables_agree_up_to_the_tolerance():
    number = [Measure(name="n", meaning="", value=x, tolerance=0.1) for x in (1.0, 1.05, 1.2)]
    assert number[0].agrees_with(number[1]) and not number[0].agrees_with(number[2])
    tables = [Measure(name="t", meaning="", value=[[x, 1.0]], tolerance=0.1) for x in (0.0, 0.3)]
    assert tables[0].agrees_with(tables[0]) and not tables[0].agrees_with(tables[1])
