"""Whatever is wrong with a plugin stays with that plugin, and its author reads why."""

import pytest

from harness.plug import discover
from harness.plug.check import describe

HEAD = """
from harness.api.hooks import hookimpl
from harness.api.offers import Model, Score
from harness.api.settings import Settings

def build(settings, room): ...
"""

METRIC = """
from harness.api.offers import Metric

@hookimpl
def harness_metrics():
    yield Metric(name="a", about="", measure=build, of="{of}", access="id", {more})
"""

GOOD = (
    HEAD
    + """
@hookimpl
def harness_models():
    yield Model(name="acme-net", about="a net", build=build)
"""
)


def reason_of(catalogue, distribution):
    (aside,) = [each for each in catalogue.set_aside if each.distribution == distribution]
    return aside.reason


def test_an_installed_plugin_offers_what_it_announces(install):
    install("acme-good", GOOD, version="1.2")

    found = discover().find("model", "acme-net")

    assert (found.distribution, found.version, found.origin) == ("acme-good", "1.2", "zoo")
    assert found.offer.about == "a net"
    assert len(found.digest) == 16


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "import no_such_package_anywhere",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_package_anywhere'"
            " (acme_bad.py:1)",
            id="needs a package that is not there",
        ),
        pytest.param(
            "def f(:",
            "cannot be imported: SyntaxError: invalid syntax (acme_bad.py, line 1)",
            id="is not Python",
        ),
        pytest.param(
            "from harness.api.offers import Telescope",
            "cannot be imported: ImportError: cannot import name 'Telescope'",
            id="needs a part of the contract that is not there",
        ),
        pytest.param(
            "import sys\nsys.exit(3)",
            "cannot be imported: SystemExit: 3 (acme_bad.py:2)",
            id="leaves while it is imported",
        ),
        pytest.param("x = 1", "implements no hook of the harness", id="has no hook"),
        pytest.param(
            "def harness_models(): return []",
            "harness_models is not marked with @hookimpl",
            id="forgot to mark its hook",
        ),
        pytest.param(
            HEAD + "harness_requires = '>=99'\n@hookimpl\ndef harness_models(): return []",
            "needs seedscape >=99, this is ",
            id="is made for a newer harness",
        ),
        pytest.param(
            HEAD + "harness_requires = 'new'\n@hookimpl\ndef harness_models(): return []",
            "harness_requires is no version range: 'new'",
            id="asks for a version that is none",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_telescopes(): return []",
            "harness_telescopes is no hook of seedscape",
            id="has a hook from the future",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_model(): return []",
            "harness_model is no hook of seedscape 0.1.0; did you mean harness_models?",
            id="misspells a hook",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(room): return []",
            "harness_models has the unknown argument 'room': the hook takes no arguments",
            id="wants an argument that a hook does not hand over",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_cell_finished(cell, result): ...",
            "harness_cell_finished has the unknown argument 'result': the hook hands over"
            " cell, record",
            id="misspells an argument",
        ),
        pytest.param(
            HEAD + "@hookimpl(hookwrapper=True)\ndef harness_scores(): yield",
            "harness_scores is marked hookwrapper=True: no hook may be wrapped or ordered",
            id="wraps a hook in the old way",
        ),
        pytest.param(
            HEAD + "@hookimpl(wrapper=True)\ndef harness_scores(): return (yield)",
            "harness_scores is marked wrapper=True: no hook may be wrapped or ordered",
            id="wraps a hook",
        ),
        pytest.param(
            HEAD + "@hookimpl(tryfirst=True)\ndef harness_scores(): return []",
            "harness_scores is marked tryfirst=True: no hook may be wrapped or ordered",
            id="wants to be asked first",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models():\n    raise RuntimeError('no\\nluck')",
            "harness_models raised RuntimeError: no luck (acme_bad.py:9)",
            id="raises when it is asked",
        ),
        pytest.param(
            HEAD
            + "@hookimpl\ndef harness_models():\n"
            + "    yield Model(name='half', about='', build=build)\n    1 / 0",
            "harness_models raised ZeroDivisionError: division by zero (acme_bad.py:10)",
            id="raises after its first offer",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(): return None",
            "harness_models returned NoneType, not an iterable of Model offers",
            id="returns nothing",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(): return Model(name='a', about='', build=build)",
            "harness_models returned Model, not an iterable of Model offers",
            id="returns one offer instead of several",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(): return [{'name': 'net'}]",
            "harness_models offered dict, not a Model",
            id="offers something else",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(): return [Model]",
            "harness_models offered the class Model, not a Model",
            id="offers a class",
        ),
        pytest.param(
            HEAD
            + "@hookimpl\ndef harness_scores(): return [Model(name='a', about='', build=build)]",
            "harness_scores offered Model, not a Score",
            id="offers through the wrong hook",
        ),
        pytest.param(
            HEAD
            + "@hookimpl\ndef harness_models(): return [Model(name='a b', about='', build=build)]",
            "harness_models offered a model named 'a b': a name starts with a letter or a digit"
            " and has no spaces",
            id="offers a name that YAML cannot use",
        ),
        pytest.param(
            HEAD
            + "class S: pass\n@hookimpl\n"
            + "def harness_models(): return [Model(name='a', about='', build=build, settings=S)]",
            "harness_models offered model 'a', whose settings is the class S, not a class made"
            " from Settings",
            id="has settings that are not Settings",
        ),
        pytest.param(
            HEAD
            + "class S(Settings, extra='ignore'): pass\n@hookimpl\n"
            + "def harness_models(): return [Model(name='a', about='', build=build, settings=S)]",
            "harness_models offered model 'a', whose settings let unknown keys through",
            id="has settings that forgive misspelling",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef harness_models(): return [Model(name='a', about='', build=3)]",
            "harness_models offered model 'a', whose build is int, not a function",
            id="has no function where one belongs",
        ),
        pytest.param(
            HEAD
            + "@hookimpl\ndef harness_scores():\n    return [Score(name='a', about='',"
            + " module=build, higher_is_better=True, needs='luck')]",
            "harness_scores offered score 'a', whose needs is 'luck', not one of labels,"
            " probabilities",
            id="chooses what is not offered",
        ),
        pytest.param(
            HEAD
            + "@hookimpl\ndef harness_models():\n"
            + "    return 2 * [Model(name='a', about='', build=build)]",
            "harness_models offers model 'a' twice",
            id="offers one name twice",
        ),
        pytest.param(
            HEAD + METRIC.format(of="point", more="across='lr'"),
            "offered metric 'a', which is of a point: only metrics of groups look across a setting",
            id="looks across a setting from one run",
        ),
        pytest.param(
            HEAD + METRIC.format(of="pair", more="branches=lambda settings, steps: ()"),
            "offered metric 'a', which is of a pair: only metrics of points have branches",
            id="branches from two runs at once",
        ),
        pytest.param(
            HEAD + METRIC.format(of="point", more="parts=3"),
            "offered metric 'a', whose parts is int, not Parts",
            id="says how many parts and not how",
        ),
    ],
)
def test_a_plugin_is_set_aside_with_its_reason_and_the_others_work(install, source, reason):
    install("acme-bad", source)
    install("acme-good", GOOD)

    catalogue = discover()

    assert reason in reason_of(catalogue, "acme-bad")
    assert "\n" not in reason_of(catalogue, "acme-bad")
    assert catalogue.find("model", "acme-net").distribution == "acme-good"
    assert not [each for each in catalogue.all() if each.distribution == "acme-bad"]


def test_the_backport_of_importlib_is_no_place_to_look_at():
    try:
        exec(compile("1 / 0", "/site-packages/importlib_metadata/__init__.py", "exec"))
    except ZeroDivisionError as error:
        assert describe(error).startswith("ZeroDivisionError: division by zero (test_plugins_set")


def test_an_entry_point_to_nowhere_is_set_aside(install):
    site = install("acme-good", GOOD)
    points = site / "acme_good-1.0.dist-info" / "entry_points.txt"
    points.write_text("[harness]\nlost = acme_good:nothing\nnone = acme_none\nzoo = acme_good\n")

    catalogue = discover()

    assert [aside.reason for aside in catalogue.set_aside if aside.distribution == "acme-good"] == [
        "cannot be imported: AttributeError: module 'acme_good' has no attribute 'nothing'",
        "cannot be imported: ModuleNotFoundError: No module named 'acme_none'",
    ]
    assert catalogue.find("model", "acme-net")


def test_a_plugin_may_be_an_object_with_methods(install):
    source = HEAD + (
        "class Zoo:\n"
        "    @hookimpl\n"
        "    def harness_models(self): return [Model(name='acme-net', about='', build=build)]\n"
        "zoo = Zoo()\n"
    )
    site = install("acme-object", source)
    points = site / "acme_object-1.0.dist-info" / "entry_points.txt"
    points.write_text("[harness]\nzoo = acme_object:zoo\n")

    assert discover().find("model", "acme-net").distribution == "acme-object"


def test_a_plugin_within_its_version_range_takes_part(install):
    install("acme-good", "harness_requires = '>=0.1,<99'\n" + GOOD)

    assert discover().find("model", "acme-net")


def test_a_hook_that_may_be_missing_is_no_reason(install):
    future = "@hookimpl(optionalhook=True)\ndef harness_telescopes(): return []\n"
    install("acme-good", GOOD + future)

    assert discover().find("model", "acme-net")


def test_the_line_about_a_plugin_names_its_distribution_and_version(install):
    install("acme-bad", "1 / 0", version="0.3")

    (aside,) = [each for each in discover().set_aside if each.distribution == "acme-bad"]

    assert str(aside).startswith("acme-bad 0.3 (zoo): cannot be imported: ZeroDivisionError")
