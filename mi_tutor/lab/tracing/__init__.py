"""Circuit tracing: which latents made the answer, and through which others.

Read in this order: `transcoders` (per layer, and cross-layer), `training`, `metrics`, `files`; `local` (the local
replacement model, which is the model itself at one prompt); `graph` (every node's direct effect on every other),
with `sources` and `pulling`, and `stream` (the same numbers the long way); `scores` (influence along all paths),
`pruning`, `supernodes`; `interventions` and `validation` (does the model do what its graph says?); `wrong` (graphs
with a known fault); `attending` (why does a head look there?); `exchange` and `circuit_tracer_files` (graphs and
transcoders that others open).
"""

from mi_tutor.lab.tracing.attending import ScoreParts, score_parts
from mi_tutor.lab.tracing.circuit_tracer_files import open_circuit_tracer, save_circuit_tracer
from mi_tutor.lab.tracing.exchange import from_json, to_json
from mi_tutor.lab.tracing.files import clt_metadata, open_clt, save_clt
from mi_tutor.lab.tracing.graph import (
    EMBEDDING,
    ERROR,
    LATENT,
    LOGIT,
    AttributionGraph,
    Nodes,
    attribution_graph,
    salient_logits,
)
from mi_tutor.lab.tracing.interventions import (
    Change,
    Intervened,
    changes_of,
    intervene,
    supernode_step,
    written_layers,
)
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
from mi_tutor.lab.tracing.pruning import PrunedGraph, kept_nodes, prune
from mi_tutor.lab.tracing.pulling import ATTENTION, MLP
from mi_tutor.lab.tracing.scores import (
    Scores,
    edge_influence,
    graph_scores,
    influence,
    node_influence,
    scores_of,
    shares,
    unexplained,
)
from mi_tutor.lab.tracing.stream import (
    all_written,
    direct_effects,
    frozen_stream,
    written_by,
)
from mi_tutor.lab.tracing.supernodes import GroupedGraph, group_inputs, grouped
from mi_tutor.lab.tracing.training import CrossLayer, clt_loss, joined, parted
from mi_tutor.lab.tracing.transcoders import (
    CrossLayerTranscoder,
    LayerTranscoders,
    Transcoder,
    Transcoders,
    clt_decode,
    clt_encode,
    rescaled,
    shuffled_decoders,
)
from mi_tutor.lab.tracing.validation import Validation, agreement, divergences, spearman, validate
from mi_tutor.lab.tracing.wrong import exchanged_graph, unfrozen_graph

__all__ = [
    "ATTENTION",
    "EMBEDDING",
    "ERROR",
    "LATENT",
    "LOGIT",
    "MLP",
    "AttributionGraph",
    "Change",
    "CrossLayer",
    "CrossLayerTranscoder",
    "GroupedGraph",
    "Intervened",
    "LayerTranscoders",
    "LocalReplacementModel",
    "Nodes",
    "PrunedGraph",
    "Recording",
    "ScoreParts",
    "Scores",
    "Transcoder",
    "TranscoderMetrics",
    "Transcoders",
    "Validation",
    "agreement",
    "all_written",
    "attribution_graph",
    "changes_of",
    "clt_decode",
    "clt_encode",
    "clt_loss",
    "clt_metadata",
    "direct_effects",
    "divergences",
    "edge_influence",
    "exchanged_graph",
    "from_json",
    "frozen_attention",
    "frozen_norm",
    "frozen_stream",
    "graph_scores",
    "group_inputs",
    "grouped",
    "influence",
    "intervene",
    "joined",
    "kept_nodes",
    "local_replacement",
    "node_influence",
    "open_circuit_tracer",
    "open_clt",
    "parted",
    "prune",
    "record",
    "replaced_logits",
    "rescaled",
    "salient_logits",
    "save_circuit_tracer",
    "save_clt",
    "score_parts",
    "scores_of",
    "shares",
    "shuffled_decoders",
    "spearman",
    "supernode_step",
    "to_json",
    "transcoder_metrics",
    "unexplained",
    "unfrozen_graph",
    "validate",
    "written_by",
    "written_layers",
]
