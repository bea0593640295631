"""What every test shares."""

import torch

# One thread: tensors in tests are tiny, and the suite runs in two processes.
torch.set_num_threads(1)
