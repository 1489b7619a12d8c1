"""Throw-away plugin packages: made into wheels, installed for one test."""

import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a wheel of `files`; the first one is announced as the plugin."""

    def make(name: str, files: dict[str, str] | str, version: str = "1.0", plugin="zoo") -> Path:
        base = name.replace("-", "_")
        texts = {f"{base}.py": files} if isinstance(files, str) else files
        module = next(iter(texts)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        info = f"{base}-{version}.dist-info"
        contents = {path: dedent(text) for path, text in texts.items()} | {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[harness]\n{plugin} = {module}\n",
        }
        record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
        wheel = tmp_path / f"{base}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in (contents | {f"{info}/RECORD": record}).items():
                archive.writestr(path, text)
        return wheel

    return make


@pytest.fixture
def install(
    make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Path]]:
    """A function that makes a wheel and unpacks it where Python looks; gives the folder."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, files: dict[str, str] | str, version: str = "1.0", plugin="zoo") -> Path:
        with zipfile.ZipFile(make_wheel(name, files, version, plugin)) as archive:
            archive.extractall(site)
        return site

    yield install
    for module, loaded in list(sys.modules.items()):
        if str(getattr(loaded, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[module]
