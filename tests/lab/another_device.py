"""A device that is none: tensors that say they live elsewhere, computed by the CPU.

    with another_device() as device:
        x = torch.ones(3, device=device)
        x + torch.ones(3)                        # RuntimeError: two devices, as CUDA would say

It finds what goes wrong on a machine with a GPU, on machines that have none: a tensor that a function makes on
the CPU and mixes with its input, an index on the GPU into a table on the CPU, numpy on a GPU's tensor, a generator
of the other device. The numbers are the CPU's own. So it does not find what a GPU rounds otherwise, nor a kernel
that a GPU lacks.

The rules are CUDA's: a CPU's tensor may be combined with one of the device if it is a single number, if it is an
index into one of the device, or if it is copied.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, ClassVar
from unittest import mock
from weakref import WeakValueDictionary

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

import mi_tutor.lab

# Torch knows this device's name and computes its gradients in the calling thread, and no machine has one.
DEVICE = torch.device("lazy:0")
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}


class Elsewhere(torch.Tensor):
    """A tensor that says that it lives on the device; `here` is what it is made of."""

    here: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )
        made.here = here
        return made

    def tolist(self) -> Any:
        """As plain numbers: that works from every device."""
        return self.cpu().tolist()

    def __repr__(self) -> str:
        return f"{self.here!r} on {DEVICE}"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError("This tensor has outlived `another_device()`.")


class Drawing(torch.Generator):
    """A generator that knows which device it was made for."""

    # By its address in torch: an operation sees the same generator in another Python object.
    known: ClassVar[WeakValueDictionary[int, Drawing]] = WeakValueDictionary()

    def __new__(cls, device: torch.device | str = "cpu") -> Drawing:
        made = super().__new__(cls)
        made.place = DEVICE if is_elsewhere(device) else torch.device(device)
        cls.known[made._cdata] = made
        return made

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return self.place


class Rules(TorchDispatchMode):
    """Every operation on the CPU, after a look at where its tensors say they live."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, dict(kwargs or {})
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        if kwargs.get("device") is None:
            check_together(name, args, tensors)
            goes_there = any(isinstance(x, Elsewhere) for x in tensors)
        else:
            goes_there = is_elsewhere(kwargs["device"])
            kwargs["device"] = torch.device("cpu")
        check_generator(name, kwargs.get("generator"), goes_there)
        known = {id(getattr(x, "here", x)): x for x in tensors}
        args, kwargs = tree_map_only(Elsewhere, lambda x: x.here, (args, kwargs))

        def placed(x: torch.Tensor) -> torch.Tensor:
            """What was given stays the same object: the result of an operation in place."""
            return known[id(x)] if id(x) in known else Elsewhere(x) if goes_there else x

        return tree_map_only(torch.Tensor, placed, func(*args, **kwargs))


def is_elsewhere(device: torch.device | str) -> bool:
    """Whether it is the device that is none."""
    return torch.device(device).type == DEVICE.type


def check_together(name: str, args: Any, tensors: list[torch.Tensor]) -> None:
    """RuntimeError if the tensors of one operation live on two devices, and CUDA would refuse that."""
    at_home = [x for x in tensors if not isinstance(x, Elsewhere)]
    if not at_home or len(at_home) == len(tensors) or name == "copy_":
        return
    first_at_home = bool(args) and args[0] is at_home[0]
    if name in INDEXING and not first_at_home:
        at_home = [x for x in args[2:3] if not isinstance(x, Elsewhere)]  # the values put in
    changes_home = name.endswith("_") and first_at_home
    if changes_home or any(x.ndim > 0 for x in at_home):
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, found some on cpu and some on {DEVICE}."
        )


def check_generator(name: str, generator: Any, goes_there: bool) -> None:
    """RuntimeError if a generator of one device should draw for another."""
    if generator is None:
        return
    place = Drawing.known.get(generator._cdata, generator).device
    if is_elsewhere(place) != goes_there:
        wanted = DEVICE if goes_there else "cpu"
        raise RuntimeError(f"{name}: expected a generator for {wanted}, found one for {place}.")


def pool(*args: Any, **kwargs: Any) -> ThreadPoolExecutor:
    """Threads that know the rules: what is set here holds for the thread that sets it."""

    def begin() -> None:
        torch._C._set_only_lift_cpu_tensors(True)
        Rules().__enter__()

    return ThreadPoolExecutor(*args, initializer=begin, **kwargs)


def autocast(device_type: str, *args: Any, enabled: bool = True, **kwargs: Any) -> Any:
    """torch.autocast, which does not know the device: there it can only be off."""
    if not is_elsewhere(device_type):
        return real_autocast(device_type, *args, enabled=enabled, **kwargs)
    assert not enabled, "there is no half precision on the device that is none"
    return nullcontext()


real_autocast = torch.autocast


def import_lab() -> None:
    """A module that were first imported within would take `Drawing` for torch's own generators."""
    for each in pkgutil.walk_packages(mi_tutor.lab.__path__, "mi_tutor.lab."):
        importlib.import_module(each.name)


@contextmanager
def another_device() -> Iterator[torch.device]:
    """Within this block there is one device more. Tensors made on it are of no use afterwards."""
    import_lab()
    threads = "mi_tutor.lab.superposition.sweep_threads.ThreadPoolExecutor"
    lifts = torch._C._only_lift_cpu_tensors()
    swaps = torch.__future__.get_swap_module_params_on_conversion()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch, "Generator", Drawing))
        stack.enter_context(mock.patch.object(torch, "autocast", autocast))
        stack.enter_context(mock.patch(threads, pool))
        # Optimizers ask for this name: it is in their list of devices that have fast kernels.
        name = mock.patch.object(torch._C, "_get_privateuse1_backend_name", lambda: DEVICE.type)
        stack.enter_context(name)
        # torch.tensor(..., device=...) is made here, then moved; a parameter that moves stays the same object.
        torch._C._set_only_lift_cpu_tensors(True)
        torch.__future__.set_swap_module_params_on_conversion(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, lifts)
        stack.callback(torch.__future__.set_swap_module_params_on_conversion, swaps)
        stack.enter_context(Rules())
        yield DEVICE
