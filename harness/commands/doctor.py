"""`seedscape doctor`: whether this machine, these plugins and this store are fit to work with."""

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from harness.api.errors import HarnessError
from harness.commands.options import PluginOptions, plugin_options, store_option
from harness.plug.catalogue import Catalogue
from harness.plug.provided import provider
from harness.plug.version import DISTRIBUTION, harness_version
from harness.store.paths import local_root

GIB = 2**30
BESIDES = ("transformers", "mlxtend", "ray", "submitit")
"""Packages that are used where they are installed."""


@click.command("doctor")
@store_option
@plugin_options
def command(store: str, plugins: PluginOptions) -> int:
    """Look at the environment, the devices, the plugins and the store.

    Exits with 2 where something is wrong.
    """
    catalogue = plugins.discover()
    ailments = []
    for heading, lines in (
        ("environment", _environment()),
        ("packages", _packages()),
        ("devices", _devices()),
        ("plugins", _plugins(catalogue)),
        ("store", _store(store)),
    ):
        click.echo(heading)
        for line, good in lines:
            click.echo(f"  {line}" if good else f"! {line}")
            if not good:
                ailments.append(line)
        click.echo()
    if not ailments:
        click.echo("All is well.")
        return 0
    click.echo(f"Needs attention (marked !): {len(ailments)}")
    return 2


# Each part yields (line, whether that is fine).
Lines = Iterator[tuple[str, bool]]


def _environment() -> Lines:
    yield f"seedscape {harness_version()}", True
    yield f"python {platform.python_version()} ({sys.executable})", True
    yield f"{platform.platform()}, {platform.machine()}", True
    yield f"{_cores()} CPU cores to use", True
    data = os.environ.get("SEEDSCAPE_DATA")
    if data:
        there = Path(data).is_dir()
        yield f"SEEDSCAPE_DATA={data}{'' if there else ' is no folder'}", there


def _cores() -> int:
    """Cores that this process may run on, which in a container are fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _packages() -> Lines:
    from packaging.requirements import Requirement

    for line in sorted(_requirements(), key=str.lower):
        needed = Requirement(line)
        installed = _version(needed.name)
        if installed is None:
            yield f"{needed.name} is not installed", False
        else:
            good = needed.specifier.contains(installed, prereleases=True)
            yield f"{needed.name} {installed}{'' if good else f' (needs {needed.specifier})'}", good
    for name in BESIDES:
        yield f"{name} {_version(name) or 'is not installed (optional)'}", True


def _requirements() -> list[str]:
    """The distribution's own dependencies, extras left out."""
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return ["torch"]
    return [line for line in requirements if "extra ==" not in line]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> Lines:
    try:
        import torch
    except Exception as error:  # a broken installation raises anything: that is what is asked here
        yield f"torch cannot be imported: {type(error).__name__}: {error}", False
        return
    yield f"cpu: {torch.get_num_threads()} threads by default", True
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}: {card.name}, {card.total_memory / GIB:.0f} GiB", True
    if torch.backends.mps.is_available():
        yield "mps: available", True
    yield f"auto chooses {_chosen()}", True


def _chosen() -> str:
    from harness.compute.device import choose_device

    return str(choose_device("auto"))


def _plugins(catalogue: Catalogue) -> Lines:
    if not catalogue.plugins:
        yield f"there is none: is {DISTRIBUTION} installed? (`pip install .` in a checkout)", False
    for plugin in catalogue.plugins:
        count = len(plugin.offers)
        who = provider(plugin.plugin, plugin.distribution, plugin.version)
        yield f"{who}: {count} offer{'' if count == 1 else 's'}", True
    for aside in catalogue.set_aside:
        yield f"set aside: {aside}", False
    for rivals in catalogue.conflicts():
        who = " and ".join(provided.provider for provided in rivals)
        offer = rivals[0].offer
        yield f"conflict: {offer.noun} {offer.name!r} is offered by {who}", False


def _store(place: str) -> Lines:
    try:
        root = local_root(place).absolute()
    except HarnessError as error:
        yield str(error), False
        return
    there = next(step for step in (root, *root.parents) if step.exists())
    if not there.is_dir():
        yield f"{root} cannot be a store: {there} is a file", False
        return
    yield f"{root}{'' if there == root else ' (not there yet)'}", True
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"seedscape")
            file.flush()
    except OSError as error:
        yield f"{there} cannot be written: {error.strerror}", False
    else:
        yield f"{there} can be written", True
    yield f"{shutil.disk_usage(there).free / GIB:.1f} GiB free", True
