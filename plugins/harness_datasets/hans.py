"""HANS: pairs on which three shallow heuristics of inference fail; per heuristic and subcase."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.api.data import DataRoom, Outline, Splits
from harness.api.downloads import Download
from harness.api.offers import Dataset
from harness.api.settings import setting
from harness_datasets.texts import loading
from harness_datasets.texts.corpus import Corpus, FileOrigin, Meaning, Origin, Piece
from harness_datasets.texts.hub_rows import HubOrigin
from harness_datasets.texts.layout import Columns
from harness_datasets.texts.published import TSV, Published

REPOSITORY = "jhu-cogsci/hans"
LABELS = (
    ("entailment", "entailment"),
    ("non-entailment", "non-entailment"),
    ("0", "entailment"),
    ("1", "non-entailment"),
)
FIELDS = (("premise", ("sentence1", "premise")), ("hypothesis", ("sentence2", "hypothesis")))
LABEL = ("gold_label", "label")
SUBCASES = {
    "lexical_overlap": (
        "ln_subject/object_swap ln_preposition ln_relative_clause ln_passive ln_conjunction "
        "le_relative_clause le_around_prepositional_phrase le_around_relative_clause "
        "le_conjunction le_passive"
    ),
    "subsequence": (
        "sn_NP/S sn_PP_on_subject sn_relative_clause_on_subject sn_past_participle sn_NP/Z "
        "se_conjunction se_adjective se_understood_object se_relative_clause_on_obj se_PP_on_obj"
    ),
    "constituent": (
        "cn_embedded_under_if cn_after_if_clause cn_embedded_under_verb cn_disjunction cn_adverb "
        "ce_embedded_under_since ce_after_since_clause ce_embedded_under_verb ce_conjunction "
        "ce_adverb"
    ),
}
"""Five subcases of each heuristic are entailed (`..e_`), five are not (`..n_`)."""


class HansSettings(Published):
    """Where the pairs come from, and what their groups are."""

    path: Path | None = setting(
        None, "heuristics_evaluation_set.txt, or a tsv file with its columns", identity=False
    )
    train: Path | None = setting(
        None, "heuristics_train_set.txt; without it HANS is for evaluation only", identity=False
    )
    group: Literal["heuristic", "subcase"] = setting("heuristic", "what the groups of examples are")
    revision: str = setting(
        "", f"commit of {REPOSITORY} that the hub converted to parquet", identity=False
    )


def outline(settings: HansSettings) -> Outline:
    """Sizes, classes and groups."""
    return loading.outline(_corpus(settings))


def fingerprint(settings: HansSettings) -> str:
    """The hash of the files, or the pinned revision."""
    return loading.fingerprint(_corpus(settings))


def load(settings: HansSettings, room: DataRoom) -> Splits:
    """Pairs: `all`, and splits per heuristic, per heuristic and class, and per subcase."""
    return loading.load(_corpus(settings), room)


def downloads(settings: HansSettings, _room: DataRoom) -> tuple[Download, ...]:
    """The hub's files, where they come from there."""
    return loading.downloads(_corpus(settings))


def _corpus(settings: HansSettings) -> Corpus:
    meaning = Meaning(FIELDS, LABEL, settings.group)
    groups = [*SUBCASES] if settings.group == "heuristic" else " ".join(SUBCASES.values()).split()
    train = () if settings.train is None else (settings.train,)
    return Corpus(
        pieces=(
            *(Piece("train", "train", FileOrigin(path, TSV), meaning) for path in train),
            *_evaluation(_origin(settings), meaning, in_classes=_labels(settings)),
        ),
        labels=LABELS,
        cut=settings.cut if train else (),
        salt="hans",
        groups=tuple(sorted(groups)),
    )


def _origin(settings: HansSettings) -> Origin:
    if settings.path is None:
        return HubOrigin(REPOSITORY, settings.revision, "plain_text", "validation", nested=True)
    return FileOrigin(settings.path, TSV)


def _labels(settings: HansSettings) -> dict[str, str]:
    """The two classes as labels are written."""
    written = LABELS[2:] if settings.path is None else LABELS[:2]
    return {name: label for label, name in written}


def _evaluation(origin: Origin, meaning: Meaning, in_classes: dict[str, str]) -> list[Piece]:
    def piece(name: str, size: int, **only: str) -> Piece:
        columns: dict[str, Columns] = {
            "heuristic": "heuristic",
            "subcase": "subcase",
            "label": LABEL,
        }
        picked = tuple((columns[column], value) for column, value in only.items())
        return Piece(name, "id", origin, meaning, size=size, only=picked)

    found = []
    for heuristic, subcases in SUBCASES.items():
        found += [piece(case, 1_000, subcase=case) for case in subcases.split()]
        found += [
            piece(f"{heuristic}-{name}", 5_000, heuristic=heuristic, label=label)
            for name, label in in_classes.items()
        ]
        found.append(piece(heuristic, 10_000, heuristic=heuristic))
    return [*found, piece("all", 30_000)]


HANS = Dataset(
    name="hans",
    about="30,000 pairs that shallow heuristics of inference get wrong, for models of MNLI",
    source="https://github.com/tommccoy1/hans",
    settings=HansSettings,
    outline=outline,
    fingerprint=fingerprint,
    load=load,
    downloads=downloads,
    license="MIT",
    citation="McCoy, Pavlick and Linzen (2019), Right for the wrong reasons, ACL",
)
