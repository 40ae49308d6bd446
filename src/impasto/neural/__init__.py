"""Neural style transfer: VGG-19, the losses, the optimiser, the chain."""

import os

# PyTorch reads this at its first allocation: with huge pages an evaluation takes a twentieth less.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
