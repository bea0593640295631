"""Circuit tracing: which latents made the answer, and through which others.

Read in this order: `transcoders` (per layer, and cross-layer), `training`, `metrics`, `files`; `local` (the local
replacement model, which is the model itself at one prompt).
"""

from mi_tutor.lab.tracing.files import clt_metadata, open_clt, save_clt
from mi_tutor.lab.tracing.local import (
    LocalReplacementModel,
    Recording,
    frozen_attention,
    frozen_norm,
    local_replacement,
    record,
    replaced_logits,
)
from mi_tutor.lab.tracing.metrics import TranscoderMetrics, transcoder_metrics
from mi_tutor.lab.tracing.training import CrossLayer, clt_loss, joined, parted
from mi_tutor.lab.tracing.transcoders import (
    CrossLayerTranscoder,
    LayerTranscoders,
    Transcoder,
    Transcoders,
    clt_decode,
    clt_encode,
    rescaled,
)

__all__ = [
    "CrossLayer",
    "CrossLayerTranscoder",
    "LayerTranscoders",
    "LocalReplacementModel",
    "Recording",
    "Transcoder",
    "TranscoderMetrics",
    "Transcoders",
    "clt_decode",
    "clt_encode",
    "clt_loss",
    "clt_metadata",
    "frozen_attention",
    "frozen_norm",
    "joined",
    "local_replacement",
    "open_clt",
    "parted",
    "record",
    "replaced_logits",
    "rescaled",
    "save_clt",
    "transcoder_metrics",
]
