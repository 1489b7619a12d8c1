"""A catalogue of the made-up suite's offers: cards without functions."""

from types import SimpleNamespace

from harness.api.offers import NOUNS


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
