"""What a dictionary's cfg.json says of it, whichever version of SAELens wrote it.

SAELens 3 to 5 write the configuration of the whole training: about a hundred fields, a dozen of which decide what
the dictionary computes. SAELens 6 writes little more than that dozen, and where the dictionary belongs under
"metadata". What is made of a field stands in four tables:

    RENAMED      names of older versions
    RULES        fields that decide what is computed: the values that are read, and what the others would need
    PLACE        where the dictionary belongs
    TRAINING     how it was trained and kept; nothing that is computed depends on it

A value that no rule lists is refused by name. So is a field of version 6 that stands in no table, since a later
release may have put it there to compute something new. Versions 3 to 5 have no later releases, and their other
fields belong to training. A file that names no version is read as theirs, as SAELens does.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

CONFIG = "cfg.json"
Config = dict[str, Any]

RENAMED = {
    "hook_point": "hook_name",
    "hook_point_layer": "hook_layer",
    "hook_point_head_index": "hook_head_index",
    "activation_fn_str": "activation_fn",
}


class Rule(NamedTuple):
    """A field that decides what is computed.

    Attributes:
        read: the values that can be read, the usual one first: it stands for a field that is not there.
        needs: why another value cannot, as a sentence.
        same: other ways to write a value.
    """

    read: tuple[Any, ...]
    needs: str
    same: dict[Any, Any] = {}  # noqa: RUF012  (never changed)


YES_OR_NO = "It should be true or false."
HEADS = "Its input is all heads flattened into one vector, and hooks here keep them apart."
RULES = {
    "architecture": Rule(
        (
            "standard",
            "topk",
            "jumprelu",
            "batchtopk",
            "matryoshka_batchtopk",
            "gated",
            "transcoder",
            "jumprelu_transcoder",
        ),
        "No dictionary here computes what it does, such as a way past the latents, or latents below 0.",
    ),
    "activation_fn": Rule(
        ("relu", "topk"), "No kind of latents here passes through it.", {None: "relu"}
    ),
    "normalize_activations": Rule(
        ("none", "expected_average_only_in"),
        "The input would have to be normalised sample by sample, or by numbers that are not in the file.",
        {None: "none", False: "none", True: "expected_average_only_in"},
    ),
    "reshape_activations": Rule(("none",), HEADS, {None: "none"}),
    "hook_z_reshaping": Rule((False,), HEADS, {None: False}),
    "hook_head_index": Rule(
        (None,), "Its input is one head alone, and hooks here give all of them."
    ),
    "apply_b_dec_to_input": Rule((True, False), YES_OR_NO),
    "rescale_acts_by_decoder_norm": Rule((False, True), YES_OR_NO),
    "finetuning_scaling_factor": Rule((False, True), YES_OR_NO, {None: False}),
}
WITH_HEADS = ("hook_q", "hook_k", "hook_v", "hook_z")  # [head d_head] here, one vector in SAELens
WITH_NORMS = ("topk", "batchtopk", "matryoshka_batchtopk")  # architectures that may rescale by them
SIZES = ("d_in", "d_sae", "d_out")

# fmt: off
PLACE = {
    "model_name", "model_class_name", "model_from_pretrained_kwargs", "hook_name", "hook_layer", "hook_head_index",
    "hook_name_out", "hook_layer_out", "hook_head_index_out", "hf_hook_name", "hf_hook_name_out", "prepend_bos",
    "exclude_special_tokens", "seqpos_slice", "context_size", "dataset_path", "neuronpedia_id", "sae_lens_version",
    "sae_lens_training_version",
}
TRAINING = {
    "dtype", "device", "decoder_init_norm", "l1_coefficient", "l1_warm_up_steps", "lp_norm", "l0_coefficient",
    "l0_warm_up_steps", "aux_loss_coefficient", "use_sparse_activations", "topk_threshold_lr", "matryoshka_widths",
    "use_matryoshka_aux_loss", "jumprelu_init_threshold", "jumprelu_bandwidth", "jumprelu_sparsity_loss_mode",
    "jumprelu_ste_to_input", "jumprelu_tanh_scale", "pre_act_loss_coefficient", "target_l0",
}
# fmt: on
OTHERS = {"metadata", "k", "activation_fn_kwargs", *SIZES}  # read one by one below


class Description(NamedTuple):
    """What a dictionary is, in the words of its file.

    Attributes:
        architecture: one of RULES["architecture"].read; "topk" also where SAELens 3 to 5 say it elsewhere.
        k: latents per sample, for topk.
        centred: b_dec is subtracted from the input.
        rescaled: pre-activations are multiplied by the norms of the decoder's rows.
        finetuned: each latent has a factor, learned after training.
        scaled: training multiplied the input by one number, which is not in the file.
        unit_rows: training held the decoder's rows at norm 1.
    """

    architecture: str
    d_in: int
    d_sae: int
    d_out: int
    k: int | None
    centred: bool
    rescaled: bool
    finetuned: bool
    scaled: bool
    unit_rows: bool


def describe(config: Config) -> Description:
    """Read what `read_config` gives.

    Raises ValueError with the field that cannot be read, its value, and what can.

    >>> describe({"d_in": 4, "d_sae": 8, "activation_fn": "topk", "activation_fn_kwargs": {"k": 2}})[:5]
    ('topk', 4, 8, 4, 2)
    """
    if _version(config) == 6:
        _refuse_unknown(config)
        if "architecture" not in config:
            raise ValueError(f"{CONFIG} lacks architecture, which SAELens 6 writes.")
    where = place(config)
    found = {name: _ruled(name, where | config) for name in RULES}
    architecture = _architecture(config, found["architecture"], found["activation_fn"])
    across = "transcoder" in architecture
    if across and config.get("apply_b_dec_to_input"):
        raise _disagree(config, "architecture", "apply_b_dec_to_input")
    if found["rescale_acts_by_decoder_norm"] and architecture not in WITH_NORMS:
        raise _disagree(config, "architecture", "rescale_acts_by_decoder_norm")
    if str(where.get("hook_name")).endswith(WITH_HEADS):
        raise ValueError(f"{_says('hook_name', where['hook_name'])}, which is not read. {HEADS}")
    d_in, d_sae, d_out = (_size(config, name) for name in ("d_in", "d_sae", SIZES[2 * across]))
    return Description(
        architecture=architecture,
        d_in=d_in,
        d_sae=d_sae,
        d_out=d_out,
        k=_k(config, d_sae) if architecture == "topk" else None,
        centred=found["apply_b_dec_to_input"] and not across,
        rescaled=found["rescale_acts_by_decoder_norm"],
        finetuned=found["finetuning_scaling_factor"] or config.get("finetuning_method") is not None,
        scaled=found["normalize_activations"] == "expected_average_only_in",
        unit_rows=bool(config.get("normalize_sae_decoder")),
    )


def place(config: Config) -> Config:
    """Where a dictionary belongs: the model, the hook, and whatever else stands under "metadata".

    >>> place({"hook_name": "blocks.2.hook_resid_pre", "lr": 0.1, "metadata": {"seed": 3}})
    {'hook_name': 'blocks.2.hook_resid_pre', 'seed': 3}
    """
    return {name: config[name] for name in config if name in PLACE} | (config.get("metadata") or {})


def read_config(directory: Path) -> Config:
    """The fields of cfg.json, those of older versions under their newer names.

    Raises FileNotFoundError or ValueError if there is no such file, or it is damaged.
    """
    file = directory / CONFIG
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no {CONFIG} in {str(directory)!r}, so this is not a dictionary's folder."
        )
    try:
        config = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is not valid JSON ({error}).") from error
    if not isinstance(config, dict) or not isinstance(config.get("metadata") or {}, dict):
        kind = type(config).__name__ if not isinstance(config, dict) else "other metadata"
        raise ValueError(f"{file} should hold a JSON object, found a {kind}.")
    for old, new in RENAMED.items():
        if old in config:
            value = config.pop(old)
            if config.setdefault(new, value) != value:
                raise ValueError(
                    f"{_says(old, value)} and {_says(new, config[new])}, which are names of the same thing."
                )
    return config


def _version(config: Config) -> int | None:
    """SAELens's, without what comes after the point. ValueError if it is newer than what is known here."""
    where = place(config)
    if not where.get("sae_lens_version"):
        return None
    number = str(where["sae_lens_version"]).split(".")[0]
    if not number.isdigit() or int(number) > 6:
        raise ValueError(
            f"{_says('sae_lens_version', where['sae_lens_version'])}, which is not known here. Read is what "
            "versions 3 to 6 write."
        )
    return int(number)


def _refuse_unknown(config: Config) -> None:
    unknown = sorted(set(config) - set(RULES) - PLACE - TRAINING - OTHERS)
    if unknown:
        raise ValueError(
            f"{_says(unknown[0], config[unknown[0]])}. This field is not known here and may change what the "
            "dictionary computes. If SAELens's documentation says that it does not, take it out of "
            f"{CONFIG}."
        )


def _ruled(name: str, config: Config) -> Any:
    """The value of a field that decides what is computed; ValueError if it cannot be read."""
    rule = RULES[name]
    value = config.get(name, rule.read[0])
    if not isinstance(value, list | dict):  # these cannot be looked up
        value = rule.same.get(value, value)
    if value not in rule.read:
        read = ", ".join(json.dumps(each) for each in rule.read)
        raise ValueError(
            f"{_says(name, value)}, which is not read. {rule.needs} What is read: {read}."
        )
    return value


def _architecture(config: Config, architecture: str, activation: str) -> str:
    """ "topk" where the activation function says so, as SAELens 3 to 5 have it."""
    if activation == "topk":
        if architecture not in ("standard", "topk"):
            raise _disagree(config, "architecture", "activation_fn")
        return "topk"
    if architecture == "topk" and config.get("activation_fn") is not None:
        raise _disagree(config, "architecture", "activation_fn")
    return architecture


def _k(config: Config, d_sae: int) -> int:
    kwargs = config.get("activation_fn_kwargs")
    places = (config, kwargs) if isinstance(kwargs, dict) else (config,)
    said = [each["k"] for each in places if each.get("k") is not None]
    if not said:
        raise ValueError(
            f"{CONFIG} lacks k, the number of latents that a topk dictionary keeps per sample."
        )
    if len(set(said)) > 1:
        raise ValueError(
            f"{CONFIG} says k = {said[0]} and, under activation_fn_kwargs, k = {said[1]}."
        )
    k = said[0]
    if type(k) not in (int, float) or not 1 <= k <= d_sae or k != int(k):
        raise ValueError(f"{_says('k', k)}; it should be a whole number from 1 to d_sae = {d_sae}.")
    return int(k)


def _size(config: Config, name: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{_says(name, value)}; it should be a whole number from 1.")
    return value


def _disagree(config: Config, *names: str) -> ValueError:
    said = " and ".join(f"{name} = {json.dumps(config.get(name))}" for name in names)
    return ValueError(f"{CONFIG} says {said}, which do not go together.")


def _says(name: str, value: Any) -> str:
    return f"{CONFIG} says {name} = {json.dumps(value)}"
