"""A small suite whose lines a test can change, and a function that opens it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.api.suites import Suite

TOYS = Path(__file__).with_name("toy_offers.py")

LINES = {
    "id": "toy",
    "version": '"1"',
    "plugins": "[./toys.py]",
    "model": "tiny",
    "data": "{dataset: flowers, batch: 8, ood: {turned: {by: {turn: {degrees: 60}}}}}",
    "inits": "[random]",
    "methods": "[fit]",
    "seeds": "{pretrain: 2, finetune: 2}",
    "scores": "[right]",
}
"""One line per key, so that line n of the file is key n: id is line 1, data is line 5."""

PRETRAIN = "{data: {dataset: flowers, train: {by: {turn: {degrees: 5}}}}, method: fit}"


def written(**changes: str | None) -> str:
    """The small suite with lines changed, added or (None) removed; new ones come last."""
    lines = {**LINES, **changes}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)


@pytest.fixture
def lines() -> Callable[..., str]:
    """The text of the small suite with changes."""
    return written


@pytest.fixture
def pretrain() -> str:
    """A section `pretrain` that works."""
    return PRETRAIN


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Suite]:
    """Write a text (or the small suite with changes) to `suite.yaml` here, and open it."""
    from harness.suite import open_suite

    (tmp_path / "toys.py").write_text(TOYS.read_text())
    monkeypatch.chdir(tmp_path)

    def open_it(text: str | None = None, *, options: dict | None = None, **changes) -> Suite:
        content = written(**changes) if text is None else text
        Path("suite.yaml").write_text(content, encoding="utf-8")
        return open_suite("./suite.yaml", **(options or {}))[0]

    return open_it


@pytest.fixture
def complaint(opened) -> Callable[..., str]:
    """What is wrong with a suite: all its problems, one per line, without the file's name."""
    from harness.api.errors import HarnessError

    def complain(text: str | None = None, **changes) -> str:
        with pytest.raises(HarnessError) as caught:
            opened(text, **changes)
        problems = getattr(caught.value, "problems", (caught.value,))
        assert all("\n" not in str(problem) for problem in problems)
        return "\n".join(str(p).removeprefix("./suite.yaml:") for p in problems)

    return complain
