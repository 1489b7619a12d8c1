"""The words of a suite: every key with what it means, for checking and for editors."""

from collections.abc import Mapping
from types import MappingProxyType


def _words(**words: str) -> Mapping[str, str]:
    return MappingProxyType(words)


SUITE_KEYS = _words(
    id="Short name of the suite; with `version` it names the results.",
    version="Version of the suite: change it whenever results are no longer comparable.",
    title="One line on what the suite shows.",
    sources="Papers and pages that the suite follows.",
    plugins="Plugin files (relative to this file) or modules to load.",
    without="Plugins to leave out: distributions or plugin names.",
    model="The model, where there is one.",
    models="Models to compare; settings may be swept.",
    pretrain="The pretraining that the init `pretrained` starts from, once per pretrain seed.",
    data="Training data, evaluation splits and batch size.",
    inits="Starting points to compare: pretrained, random, or checkpoints.",
    methods="Training methods to compare; settings may be swept.",
    seeds="Pretraining and fine-tuning seeds, crossed or nested.",
    scores="Scores computed from the predictions on every split.",
    metrics="Loss-landscape metrics.",
    primary="The score and splits that the answer is read off.",
    limit="Trial only: at most so many examples per split and steps; marks every result.",
)
NEEDED_KEYS = ("id", "version", "data", "inits", "methods", "seeds", "scores")

PRETRAIN_KEYS = _words(
    data="Data of the pretraining.",
    method="Training method of the pretraining.",
)
DATA_KEYS = _words(
    dataset="The dataset.",
    train="How the training split is made; the in-domain splits are made alike.",
    batch="Examples per step.",
    augment="Shifts drawn anew for every batch.",
    ood="OOD splits to make, by name.",
)
TRAIN_KEYS = _words(by="Shifts, applied in order.")
OOD_KEYS = _words(
    by="Shifts, applied in order.",
    of='The in-domain split it is made of and compared with; by default "test", else the last.',
    dataset="Another dataset that the examples come from.",
    split='The split of that other dataset; by default "test", else its last in-domain one.',
    classes="Which of the model's classes stand for each class of the other dataset.",
    shift='The kind of shift; by default that of the first of `by`, else "natural".',
)
SEED_KEYS = _words(
    pretrain="Pretraining seeds: a list, or a number n for 0 ... n-1.",
    finetune="Fine-tuning seeds: a list, or a number n for 0 ... n-1.",
    order="Seeds of the data order, where it is split from the fine-tuning seed.",
    design="crossed: every pretrain seed meets the same fine-tune seeds; nested: its own.",
)
PRIMARY_KEYS = _words(
    score="By default the first score.",
    id='In-domain split; by default "test", else the last.',
    ood="OOD splits; by default all.",
)
LIMIT_KEYS = _words(examples="Examples per split.", steps="Steps per training.")
METRIC_KEYS = _words(
    splits="Splits to read it on (or on `train`); by default the primary ones that it may see.",
    pairs="The runs of a procedure to pair: all, within-pretrain-seed, or how many pairs.",
)
PAIR_KEYS = _words(sample="How many pairs, half of them of one pretraining seed.")
INITS = _words(
    pretrained="The weights of the suite's own pretraining, or those that the model brings.",
    random="Weights drawn afresh from the pretraining seed.",
    checkpoint="A .safetensors file; {seed} stands for the pretraining seed.",
)
DESIGNS = ("crossed", "nested")
LABEL = "Its name in reports."
USE = "as"
"""The key that gives a use its label."""
SWEEP = "sweep"
"""The key whose list stands for several uses."""
