"""The pages on public tables: their commands still print what they show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("SEEDSCAPE_DATA")
PAGES = sorted((Path(__file__).parents[2] / "docs" / "tables").glob("*.md"))
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
SHOWN = re.compile(r"```sh\n(.*?)```.*?```text\n(.*?)```", re.DOTALL)


def shown() -> list[pytest.param]:
    found = [(page, SHOWN.search(page.read_text())) for page in PAGES]
    return [pytest.param(*match.groups(), id=page.stem) for page, match in found if match]


def words_and_numbers(text: str) -> tuple[str, list[float]]:
    """What is printed with its numbers apart: a draw's last digit differs between machines."""
    numbers = [float(number.replace(",", "")) for number in NUMBER.findall(text)]
    return " ".join(NUMBER.sub("#", text).split()), numbers


def assert_same(printed: str, page: str) -> None:
    (words, numbers), (expected, shown_numbers) = map(words_and_numbers, (printed, page))
    assert words == expected
    assert numbers == pytest.approx(shown_numbers, rel=0.03, abs=0.003)


def test_every_page_but_the_first_shows_a_command_and_what_it_prints():
    assert len(shown()) == len(PAGES) - 1


@pytest.mark.slow
@pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(), reason="SEEDSCAPE_DATA names no folder with real data"
)
@pytest.mark.parametrize(("command", "output"), shown())
def test_a_command_on_public_data_prints_what_its_page_shows(command, output, tmp_path):
    ours = re.sub("^seedscape", f"{sys.executable} -m harness.cli", command, flags=re.MULTILINE)

    done = subprocess.run(["bash", "-c", ours], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert_same(done.stdout, output)


def test_the_made_up_table_prints_what_its_page_shows(tmp_path):
    page = (PAGES[0].parent / "README.md").read_text()
    (tmp_path / "results.csv").write_text(re.search("```csv file=.*?\n(.*?)```", page, re.S)[1])
    command = re.findall(r"^\$ seedscape (.*)$", page, re.MULTILINE)[1].split()

    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    page_shows = re.search("```text\n(.*?)```", page, re.S)[1]
    assert_same(done.stdout.partition("\n\nfindings:")[0], page_shows)
