"""What the made-up suite is made with: offers that are cards without functions, and a machine."""

from types import SimpleNamespace

from harness.api.offers import NOUNS
from harness.api.results import Machine

MACHINE = Machine(
    python="3.11.9",
    packages={"torch": "2.13.0", "numpy": "2.4.6"},
    platform="Linux-6.1-x86_64",
    processor="AMD EPYC 7B13",
    device="cpu",
    threads=1,
    git_commit="0123456789abcdef",
    git_dirty=False,
)


def offers():
    """A catalogue of the made-up suite's offers alone."""
    return SimpleNamespace(find=lambda noun, name: SimpleNamespace(offer=_offer(noun, name)))


def _offer(noun: str, name: str):
    shared = {"about": f"the {noun} {name}", "source": f"Author (2020), on {name}"}
    more = {
        "score": {"higher_is_better": name != "nll", "proportion": name == "accuracy"},
        "dataset": {"license": "CC BY 4.0", "citation": "Alpaydin, Kaynak (1998)"},
        "metric": {"formula": "sup_a [L(a) - ((1-a) L(0) + a L(1))]"},
    }.get(noun, {})
    return _made(noun)(name=name, **shared, **more)


def _made(noun: str):
    kind = next(kind for kind in NOUNS if kind.noun == noun)
    empty = {"score": ("module",), "dataset": ("outline", "fingerprint", "load"),
             "metric": ("measure",), "model": ("build",), "method": ("recipe",),
             "shift": ("apply",)}[noun]  # fmt: skip
    fixed = {"metric": {"of": "pair", "access": "ood-labels"}, "shift": {"kind": "x"}}
    functions = dict.fromkeys(empty, lambda *_: None)
    return lambda **fields: kind(**functions, **fixed.get(noun, {}), **fields)
