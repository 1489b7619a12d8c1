"""What can be used, what it is, and whether this machine is fit for it."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.api.errors import HarnessError
from harness.commands import doctor, list_, show

PLUGIN = '''
from typing import Literal

from harness.api.hooks import hookimpl
from harness.api.offers import Dataset, Metric, Model
from harness.api.settings import Settings, setting


class NetSettings(Settings):
    """How large the net is."""

    width: int = setting(32, "units per layer", source="https://example.org/net", ge=1, le=4096)
    hidden: tuple[int, ...] = setting((64, 64), "units of the hidden layers", min_length=1)
    norm: Literal["group", "batch"] = setting("group", "normalisation")
    seed_file: str | None = setting(None, "where to read from")
    size: float = setting(..., "must be said")


def build(settings, room): ...


@hookimpl
def harness_models():
    about = "a net " + "with a long story " * 8 + "and an end"
    yield Model(name="acme-net", about=about, settings=NetSettings, build=build)
    yield Model(name="acme-plain", about="nothing to set", build=build)


@hookimpl
def harness_metrics():
    yield Metric(
        name="acme-sharpness", about="a sharpness", measure=build, of="point", access="train",
        direction="higher-is-sharper", formula="max L(w + e) - L(w)", invariances="none",
        cost="20 gradients", oracle="a quadratic", source="https://example.org/sharp",
    )


@hookimpl
def harness_datasets():
    yield Dataset(name="acme-data", about="data", outline=build, fingerprint=build, load=build,
                  license="CC0", citation="Acme (2020)")
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "acme.py"
    path.write_text(PLUGIN)
    return str(path)


def printed(command, *arguments):
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_list_gives_one_line_per_offer_and_cuts_nothing(plugin):
    lines = printed(list_.command, "model", "acme-*", "-p", plugin).splitlines()

    assert lines[0].split() == ["noun", "name", "about", "provider"]
    assert lines[1].startswith("model  acme-net    a net with a long story")
    assert "and an end" in lines[1]
    assert lines[1].endswith("acme.py")
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["model", "acme-n*"], ["acme-net"]),
        (["model", "ACME-?et"], ["acme-net"]),
        (["model", "me-pl"], ["acme-plain"]),
        (["acme-*"], ["acme-data", "acme-sharpness", "acme-net", "acme-plain"]),
        (["metric", "acme-net"], []),
    ],
)
def test_a_pattern_picks_names(plugin, arguments, names):
    rows = json.loads(printed(list_.command, *arguments, "--json", "-p", plugin))

    assert sorted(row["name"] for row in rows) == sorted(names)


def test_json_says_who_provides_an_offer(plugin):
    (row,) = json.loads(printed(list_.command, "model", "acme-plain", "--json", "-p", plugin))

    assert row == {
        "noun": "model",
        "name": "acme-plain",
        "about": "nothing to set",
        "distribution": "acme.py",
        "version": "",
        "plugin": plugin,
    }


def test_built_in_suites_are_listed():
    lines = printed(list_.command, "suite").splitlines()

    assert any(line.startswith("suite  quick") for line in lines)


def test_a_noun_that_does_not_exist_is_an_error_with_a_guess():
    with pytest.raises(HarnessError, match="no noun 'models'; did you mean 'model'"):
        printed(list_.command, "models")


def test_a_card_shows_every_setting_with_its_limits_default_and_source(plugin):
    lines = printed(show.command, "model", "acme-net", "-p", plugin).splitlines()
    rows = {line.split()[0]: line for line in lines[lines.index("Settings") + 2 :] if line}

    assert rows["width"].split("  ")[0] == "width"
    for part in ("int", "32", ">= 1, <= 4096", "units per layer"):
        assert part in rows["width"]
    assert "list of int" in rows["hidden"]
    assert "[64, 64]" in rows["hidden"]
    assert "at least 1 long" in rows["hidden"]
    assert '"group" or "batch"' in rows["norm"]
    assert "text or null" in rows["seed_file"]
    assert "required" in rows["size"]
    assert lines[-1] == "  width: https://example.org/net"


def test_a_card_names_provider_and_digest(plugin):
    card = printed(show.command, "model", "acme-plain", "-p", plugin)

    assert f"provided by  {plugin}" in card
    (digest,) = [line.split()[1] for line in card.splitlines() if "digest" in line]
    assert len(digest) == 16
    assert "It has no settings." in card


def test_a_metrics_card_says_what_it_measures_and_at_what_price(plugin):
    card = printed(show.command, "metric", "acme-sharpness", "-p", plugin)

    for heading, text in (
        ("formula", "max L(w + e) - L(w)"),
        ("of", "point"),
        ("access", "train"),
        ("direction", "higher-is-sharper"),
        ("invariances", "none"),
        ("cost", "20 gradients"),
        ("oracle", "a quadratic"),
        ("source", "https://example.org/sharp"),
    ):
        assert [line for line in card.splitlines() if line.split("  ")[1:2] == [heading]]
        assert text in card


def test_a_datasets_card_states_licence_and_citation(plugin):
    card = printed(show.command, "dataset", "acme-data", "-p", plugin)

    assert "license      CC0" in card
    assert "citation     Acme (2020)" in card


def test_a_suites_card_has_its_title_procedures_and_yaml():
    card = printed(show.command, "suite", "quick")

    assert card.startswith("suite quick 1: ")
    assert "pretrained" in card.split("Procedures")[1].split("id: quick")[0]
    assert "\nid: quick" in card


def test_every_built_in_offer_has_a_card(catalogue):
    from harness.commands.card import card_of

    for provided in catalogue.all():
        card = card_of(provided)
        assert card.about, card
        assert all(setting.about for setting in card.settings), card


def test_doctor_says_why_a_plugin_was_set_aside_and_what_is_in_conflict(tmp_path, plugin):
    broken, rival = tmp_path / "broken.py", tmp_path / "rival.py"
    broken.write_text("1 / 0")
    rival.write_text(PLUGIN + "\n")

    flags = [f"--plugin={path}" for path in (plugin, broken, rival)]
    result = CliRunner().invoke(
        doctor.command, [*flags, "--store", str(tmp_path / "runs")], standalone_mode=False
    )

    assert result.return_value == 2
    assert f"! set aside: {broken}: cannot be imported: ZeroDivisionError" in result.stdout
    assert f"! conflict: model 'acme-net' is offered by {plugin} and {rival}" in result.stdout
    assert f"{tmp_path / 'runs'} (not there yet)" in result.stdout
    assert not (tmp_path / "runs").exists()
    assert "  torch 2" in result.stdout
    assert "auto chooses" in result.stdout


def test_doctor_notices_a_store_that_cannot_be_written(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", full)

    result = CliRunner().invoke(doctor.command, ["--store", str(tmp_path)], standalone_mode=False)

    assert result.return_value == 2
    assert f"! {tmp_path} cannot be written: No space left on device" in result.stdout


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("{}/taken", "! {0}/taken cannot be a store: {0}/taken is a file"),
        ("{}/taken/runs", "! {0}/taken/runs cannot be a store: {0}/taken is a file"),
        ("s3://bucket/runs", "! this version keeps its store in a local folder"),
    ],
)
def test_doctor_notices_a_place_that_can_be_no_store(tmp_path, place, line):
    (tmp_path / "taken").write_text("")
    words = ["--store", place.format(tmp_path)]

    result = CliRunner().invoke(doctor.command, words, standalone_mode=False)

    assert result.return_value == 2
    assert line.format(tmp_path) in result.stdout


def test_doctor_takes_the_url_of_a_folder(tmp_path):
    words = ["--store", f"file://{tmp_path}/runs"]

    result = CliRunner().invoke(doctor.command, words, standalone_mode=False)

    assert f"  {tmp_path}/runs (not there yet)" in result.stdout


def test_doctor_notices_a_package_that_is_too_old_or_missing(tmp_path, monkeypatch):
    from importlib import metadata

    def version(name):
        if name == "torch":
            return "1.13"
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: ["torch>=2.5", "rich"])

    result = CliRunner().invoke(doctor.command, ["--store", str(tmp_path)], standalone_mode=False)

    assert result.return_value == 2
    assert "! torch 1.13 (needs >=2.5)" in result.stdout
    assert "! rich is not installed" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list"], ["show", "model", "acme-net"], ["doctor", "--help"]],
    ids=lambda arguments: " ".join(arguments),
)
def test_looking_around_imports_nothing_heavy(plugin, arguments):
    flags = ["-p", plugin] if arguments[0] in ("list", "show") else []
    script = (
        "import sys\n"
        "from harness.cli import main\n"
        f"code = main({[*arguments, *flags]!r})\n"
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'sklearn', 'pandas', 'numpy'}\n"
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert ran.stderr.splitlines()[-1] == "0 []", ran.stderr
