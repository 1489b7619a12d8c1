"""Which loss a metric of curvature looks at: settings that several of them share."""

from harness.api.settings import Settings, SplitName, setting


class LossSettings(Settings):
    """The mean loss over a split, on how many of its examples."""

    examples: int | None = setting(
        1000,
        "examples of the split that the loss is the mean of, drawn once from a fixed stream, the "
        "same for all runs; null: all of them",
        source="a choice: 1,024 in Andriushchenko et al. 2023, arXiv 2302.07011",
        ge=1,
    )
    split: SplitName = setting(
        "train",
        "the split of the loss: train, or an in-domain one",
        source="the landscape that was trained",
    )
