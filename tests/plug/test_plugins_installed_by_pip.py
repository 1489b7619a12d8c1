"""A stranger's package, installed as strangers install it."""

import os
import subprocess
import sys

import pytest

NET = """
from harness.api.hooks import hookimpl
from harness.api.offers import Model

def build(settings, room): ...

@hookimpl
def harness_models():
    return [Model(name="acme-net", about="a net of acme", build=build)]
"""


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "-q", *map(str, arguments)], check=True)


def seedscape(*arguments, site):
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_wheels_good_and_bad_installed_by_pip(make_wheel, tmp_path):
    wheels = [
        make_wheel("acme-good", NET, "1.2"),
        make_wheel("acme-bad", "import no_such_package"),
        make_wheel("acme-rude", NET.replace("return [", "raise OSError('no disk') or [")),
        make_wheel("acme-new", "harness_requires = '>=99'" + NET),
        make_wheel("acme-twin", NET, "3.4"),
    ]
    site = tmp_path / "site-packages"
    pip("install", "--no-index", "--no-deps", "--target", site, *wheels)

    listed = seedscape("list", "model", "acme-*", site=site)
    shown = seedscape("show", "model", "acme-net", site=site)
    chosen = seedscape("show", "model", "acme-net", "--without", "acme-twin", site=site)
    doctor = seedscape("doctor", site=site)

    assert listed.returncode == 0
    assert [line.split("  ")[-1].strip() for line in listed.stdout.splitlines()[1:]] == [
        "acme-good 1.2",
        "acme-twin 3.4",
    ]
    assert shown.returncode == 2
    assert "--without acme-good:zoo or --without acme-twin:zoo" in shown.stderr
    assert chosen.returncode == 0
    assert "acme-good 1.2 (zoo)" in chosen.stdout
    assert doctor.returncode == 2
    for line in (
        "set aside: acme-bad 1.0 (zoo): cannot be imported: ModuleNotFoundError",
        "set aside: acme-rude 1.0 (zoo): harness_models raised OSError: no disk",
        "set aside: acme-new 1.0 (zoo): needs seedscape >=99",
        "conflict: model 'acme-net' is offered by acme-good 1.2 (zoo) and acme-twin 3.4 (zoo)",
    ):
        assert f"! {line}" in doctor.stdout


@pytest.mark.slow
def test_a_wheel_built_by_hatchling_is_found(tmp_path):
    pytest.importorskip("hatchling")
    project = tmp_path / "acme"
    (project / "acme_net").mkdir(parents=True)
    (project / "acme_net" / "__init__.py").write_text(NET)
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "acme-net"\nversion = "2.0"\n'
        '[project.entry-points.harness]\nacme = "acme_net"\n'
    )
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, project)
    site = tmp_path / "site-packages"
    pip("install", "--no-index", "--no-deps", "--target", site, *tmp_path.glob("*.whl"))

    shown = seedscape("show", "model", "acme-net", site=site)

    assert shown.returncode == 0
    assert "provided by  acme-net 2.0 (acme)" in shown.stdout
