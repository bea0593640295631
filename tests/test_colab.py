"""What is said after an installation on Colab: what is new, what changed, and when to start again."""

import pytest

from mi_tutor.colab import RESTART, changes, tell, versions


def test_a_package_that_is_in_use_asks_for_a_restart():
    said = changes({"numpy": "1.26.4", "six": "1"}, {"numpy": "2.4.6", "six": "2", "mi_tutor": "1"})
    assert "1 new package(s): mi_tutor" in said
    assert "numpy 1.26.4 → 2.4.6" in said and "six 1 → 2" in said
    assert f"numpy was in use already, so do this once: {RESTART}" in said or "numpy, six" in said


def test_a_package_that_nobody_uses_yet_does_not():
    said = changes({"nobody-has-this": "1"}, {"nobody-has-this": "2"})
    assert "nobody-has-this 1 → 2" in said and RESTART not in said


@pytest.mark.parametrize("missing", [[], ["einops"]])
def test_new_packages_are_named(missing, capsys):
    had = {name: version for name, version in versions().items() if name not in missing}
    tell(had)
    said = capsys.readouterr().out
    assert ("nothing was changed" in said) == (not missing)
    assert ("einops" in said) == bool(missing) and RESTART not in said
