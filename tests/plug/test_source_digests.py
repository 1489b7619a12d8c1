"""An offer's digest follows its own code, and nothing else."""

import subprocess
import sys
from textwrap import dedent

import pytest

from harness.plug import discover

HEAD = """
from harness.api.hooks import hookimpl
from harness.api.offers import Model
"""

PLUGIN = (
    HEAD
    + """
from acme_nets import big, small

@hookimpl
def harness_models():
    return [big.OFFER, small.OFFER]
"""
)

NET = """
from harness.api.offers import Model

def build(settings, room):
    from {layers} import layer
    return layer

OFFER = Model(name={name!r}, about="", build=build)
"""

FILES = {
    "acme_nets/__init__.py": PLUGIN,
    "acme_nets/big.py": NET.format(layers="acme_nets.parts.layers", name="big"),
    "acme_nets/small.py": NET.format(layers=".thin", name="small"),
    "acme_nets/thin.py": "layer = 1\n",
    "acme_nets/parts/__init__.py": "",
    "acme_nets/parts/layers.py": "from ..deep import depth\nlayer = depth\n",
    "acme_nets/deep.py": "depth = 3\n",
}


def digests(catalogue):
    return {name: catalogue.find("model", name).digest for name in ("big", "small")}


def test_the_digest_follows_what_the_offers_module_imports_and_nothing_else(install):
    site = install("acme-nets", FILES)
    before = digests(discover())

    (site / "acme_nets" / "deep.py").write_text("depth = 4\n")
    deeper = digests(discover())
    (site / "acme_nets" / "thin.py").write_text("layer = 2\n")
    thinner = digests(discover())
    (site / "acme_nets" / "unused.py").write_text("x = 1\n")
    (site / "acme_nets" / "__init__.py").write_text(PLUGIN + "# a word\n")

    assert deeper["big"] != before["big"]
    assert deeper["small"] == before["small"]
    assert thinner["big"] == deeper["big"]
    assert thinner["small"] != before["small"]
    assert digests(discover()) == thinner


def test_one_catalogue_keeps_the_digest_it_gave(install):
    site = install("acme-nets", FILES)
    catalogue = discover()
    before = digests(catalogue)

    (site / "acme_nets" / "deep.py").write_text("depth = 5\n")

    assert digests(catalogue) == before


def test_a_member_that_is_no_module_is_followed_to_the_module_that_has_it(install):
    site = install(
        "acme-nets",
        FILES | {"acme_nets/thin.py": "from acme_nets.parts import WIDTH\nlayer = WIDTH\n"},
    )
    before = digests(discover())

    (site / "acme_nets" / "parts" / "__init__.py").write_text("WIDTH = 7\n")

    assert digests(discover())["small"] != before["small"]


def test_the_digest_does_not_depend_on_where_the_code_lies(tmp_path):
    text = HEAD + (
        "def build(settings, room): ...\n"
        "@hookimpl\n"
        "def harness_models(): return [Model(name='mine', about='', build=build)]\n"
    )
    found = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "mine.py"
        path.write_text(text)
        found.append(discover(extra=[str(path)]).find("model", "mine").digest)

    assert found == 2 * ["60348ebdb9380ae2"]


def test_settings_defined_elsewhere_in_the_package_count(install):
    settings = "from harness.api.settings import Settings\nclass S(Settings):\n    a: int = 1\n"
    plugin = HEAD + (
        "from acme_set.settings import S\n"
        "from acme_set.net import build\n"
        "@hookimpl\n"
        "def harness_models(): return [Model(name='m', about='', settings=S, build=build)]\n"
    )
    site = install(
        "acme-set",
        {
            "acme_set/__init__.py": plugin,
            "acme_set/settings.py": settings,
            "acme_set/net.py": "def build(settings, room): ...\n",
        },
    )
    before = discover().find("model", "m").digest

    (site / "acme_set" / "settings.py").write_text(settings.replace("1", "2"))

    assert discover().find("model", "m").digest != before


def test_functions_of_the_parts_of_a_metric_count(install):
    plugin = (
        "from harness.api.hooks import hookimpl\n"
        "from harness.api.offers import Metric, Parts\n"
        "from acme_set.parts import count, one, join\n"
        "from acme_set.whole import measure\n"
        "@hookimpl\n"
        "def harness_metrics():\n"
        "    parts = Parts(count=count, measure=one, join=join)\n"
        "    return [Metric(name='m', about='', measure=measure, of='point', access='id',"
        " parts=parts)]\n"
    )
    parts = "def count(s): return 2\ndef one(s, probe, n): ...\ndef join(s, readings): ...\n"
    files = {"__init__": plugin, "parts": parts, "whole": "def measure(s, probe): ...\n"}
    site = install("acme-set", {f"acme_set/{name}.py": text for name, text in files.items()})
    before = discover().find("metric", "m").digest

    (site / "acme_set" / "parts.py").write_text(parts.replace("2", "3"))

    assert discover().find("metric", "m").digest != before


def test_a_module_that_is_not_python_is_hashed_all_the_same(install):
    site = install("acme-nets", FILES | {"acme_nets/deep.py": "depth = = 1\n"})
    before = digests(discover())

    (site / "acme_nets" / "deep.py").write_text("depth = = 2\n")

    assert digests(discover())["big"] != before["big"]


def test_digests_import_nothing(install):
    files = FILES | {"acme_nets/deep.py": "raise SystemExit('imported')\n"}
    site = install("acme-nets", files)
    script = (
        "import sys; from harness.plug import discover\n"
        "print(discover().find('model', 'big').digest, 'acme_nets.deep' in sys.modules)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == [discover().find("model", "big").digest, "False"]


BOUND = (
    HEAD
    + """
import functools
from acme_bound.build import build, maker

@hookimpl
def harness_models():
    return [Model(name='m', about='', build=VALUE)]
"""
)

CARRIERS = ("functools.partial(build, width={})", "maker({})", "maker({}, 'method')")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_values_that_a_function_carries_along_count(install, carrier):
    build = """
        def build(settings, room, width): ...

        class Maker:
            def __init__(self, width):
                self.width = width

            def build(self, settings, room): ...

        def maker(width, kind='closure'):
            def inner(settings, room):
                return width
            return inner if kind == 'closure' else Maker(width).build
        """
    files = {
        "acme_bound/__init__.py": BOUND.replace("VALUE", carrier.format(8)),
        "acme_bound/build.py": dedent(build),
    }
    site = install("acme-bound", files)
    before = discover().find("model", "m").digest

    (site / "acme_bound" / "__init__.py").write_text(BOUND.replace("VALUE", carrier.format(16)))

    assert discover().find("model", "m").digest != before


OFFERING = """
@hookimpl
def harness_models():
    return [Model(name='m', about='', build=build)]
"""


def alone(text):
    return HEAD + text + OFFERING


@pytest.mark.parametrize("where", ["at the top", "when it is built"])
def test_a_module_beside_a_plugin_of_one_file_counts(tmp_path, monkeypatch, where):
    statement = "from beside_it.parts import width\n"
    inner = "" if where == "at the top" else "    " + statement
    outer = statement if where == "at the top" else ""
    plugin = tmp_path / "mine.py"
    plugin.write_text(alone(f"{outer}def build(settings, room):\n{inner}    return width\n"))
    (tmp_path / "beside_it").mkdir()
    (tmp_path / "beside_it" / "__init__.py").write_text("")
    (tmp_path / "beside_it" / "parts.py").write_text("width = 8\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = discover(extra=[str(plugin)]).find("model", "m").digest

    (tmp_path / "beside_it" / "parts.py").write_text("width = 16\n")
    after = discover(extra=[str(plugin)]).find("model", "m").digest
    for name in ("beside_it", "beside_it.parts"):
        sys.modules.pop(name, None)

    assert after != before


def test_line_endings_do_not_count(tmp_path):
    text = alone("def build(settings, room): ...\n")
    found = set()
    for name, ending in (("unix", "\n"), ("windows", "\r\n")):
        path = tmp_path / f"{name}.py"
        path.write_text(text, newline=ending)
        found.add(discover(extra=[str(path)]).find("model", "m").digest)

    assert len(found) == 1
