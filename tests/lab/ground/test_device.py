import pytest
import torch

from mi_tutor.lab.ground.device import best_device, one_thread, seeded


def test_best_device_can_hold_a_tensor():
    assert torch.zeros(1, device=best_device()).item() == 0


def test_a_seed_decides_the_numbers():
    assert torch.rand(5, generator=seeded(3)).equal(torch.rand(5, generator=seeded(3)))
    assert not torch.rand(5, generator=seeded(3)).equal(torch.rand(5, generator=seeded(4)))


def test_a_seeded_generator_leaves_the_global_one_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    torch.rand(5, generator=seeded(3))
    assert torch.rand(1).equal(expected)


def test_one_thread_puts_the_number_of_threads_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(KeyError), one_thread():
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
