"""Writes every file of data/ again. See README.md."""

import torch

from amsgrad import make_amsgrad
from blocks import make_decoder_block, make_mbconvs
from encoder import make_encoders
from losses import make_losses

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
make_mbconvs()
make_decoder_block()
make_losses()
make_amsgrad()
make_encoders()
