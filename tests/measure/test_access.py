import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.measure.access import AccessControl
from harness.testing.scenes import World

LEVELS = ("train", "id", "ood-inputs", "ood-labels")


def world():
    data = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    runs = {"a": {"weight": torch.zeros(3, 2), "bias": torch.zeros(3)}}

    class Net(nn.Linear):
        def forward(self, x):
            return super().forward(x)

    splits = {"train": data, "test": data, "ood-far": data}
    return World(Net(2, 3), splits, runs, features=("",))


@pytest.mark.parametrize(
    ("split", "least"), [("train", "train"), ("test", "id"), ("ood-far", "ood-labels")]
)
@pytest.mark.parametrize("access", LEVELS)
def test_a_split_opens_only_to_a_metric_whose_access_reaches_it(split, least, access):
    probe = world().probe("a", access=access)
    looks = [
        lambda: probe.evaluate([probe.weights()], split),
        lambda: probe.gradient(probe.weights(), split),
        lambda: probe.hessian_product(probe.weights(), split),
        lambda: probe.krylov(probe.weights(), split),
        lambda: probe.krylov(probe.weights(), split, matrix="covariance"),
        lambda: probe.targets(split),
        lambda: next(probe.example_gradients(probe.weights(), split)),
        lambda: probe.example_gradient_norms(probe.weights(), split),
        lambda: probe.fisher_product(probe.weights(), split, kind="empirical"),
        lambda: probe.fisher_product(probe.weights(), split, kind="ggn"),
    ]
    for look in looks:
        if LEVELS.index(access) >= LEVELS.index(least):
            look()
        else:
            with pytest.raises(HarnessError) as caught:
                look()
            for word in ("'test'", f"'{split}'", f"'{access}'", f"'{least}'"):
                assert word in str(caught.value)


@pytest.mark.parametrize("access", LEVELS)
def test_what_needs_no_labels_opens_an_ood_split_to_a_metric_of_inputs(access):
    probe = world().probe("a", access=access)
    given = torch.zeros(4, dtype=torch.long)
    looks = [
        lambda: probe.examples("ood-far"),
        lambda: probe.logits([probe.weights()], "ood-far"),
        lambda: probe.features(probe.weights(), "ood-far"),
        lambda: probe.fisher_product(probe.weights(), "ood-far", kind="true"),
        lambda: probe.krylov(probe.weights(), "ood-far", matrix="true"),
        lambda: probe.example_gradient_norms(probe.weights(), "ood-far", targets=given),
    ]
    for look in looks:
        if access in ("ood-inputs", "ood-labels"):
            look()
        else:
            with pytest.raises(HarnessError, match="'ood-inputs'"):
                look()


def test_ood_inputs_without_labels_take_a_lower_access_than_with_them():
    control = AccessControl("m", "ood-inputs")
    control.enter("far", "ood", labels=False)
    with pytest.raises(HarnessError, match="ood-labels"):
        control.enter("far", "ood", labels=True)
    assert control.used == "ood-inputs"


def test_the_protocol_says_what_was_looked_at_whatever_the_metric_declares():
    def measure(settings, probe):
        for split in settings_splits:
            probe.evaluate([probe.weights()], split)
        return Reading(values=(Value(name="x", value=0.0),), protocol={"access": "train"})

    metric = Metric(name="m", about="", measure=measure, of="point", access="ood-labels")
    settings_splits = ["train", "test"]
    protocol = world().read(metric, ["a"]).protocol
    assert protocol["access"] == "id"
    settings_splits = ["train", "ood-far"]
    protocol = world().read(metric, ["a"]).protocol
    assert protocol["access"] == "ood-labels"
    assert protocol["access_by_split"] == {"train": "train", "ood-far": "ood-labels"}
    assert protocol["dtype"] == "float32"
