"""What a process of its own sees of the room, however often the others have passed."""

import subprocess
import sys

import pytest


@pytest.mark.anew
@pytest.mark.slow
def test_a_fresh_process_says_nothing_even_while_importing():
    code = (
        "from mi_tutor.specimens import open_specimen; model = open_specimen('primer', device='cpu'); "
        "print(model.to_string(model('The capital of France is')[0, -1].argmax()))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, " Paris\n", "")


@pytest.mark.anew
def test_the_room_is_light_to_import():
    code = (
        "import sys, mi_tutor.specimens as s; s.card('primer'); s.specimen_names(); "
        "print([m for m in ('torch', 'transformers', 'transformer_lens', 'huggingface_hub') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
