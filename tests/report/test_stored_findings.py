"""Findings in files: their shape is pinned, and they are read back or refused in one line."""

import json
import runpy
from pathlib import Path

import made_up
import pytest

import harness
from harness import HarnessError
from harness.api.findings import SCHEMA_VERSION
from harness_reporters import JSON

PINNED = Path(__file__).parent / "pinned"


@pytest.fixture
def written(tmp_path):
    """Findings, and the file that the reporter has made of them."""
    findings = made_up.findings(made_up.plan(2, 2, splits=("test", "noise")))
    (path,) = JSON.write(JSON.settings(), findings, tmp_path)
    return findings, path


def test_the_shape_of_findings_is_the_pinned_one():
    pinned = runpy.run_path(str(Path(__file__).parent / "write_pinned.py"))
    assert pinned["shape"]() == pinned["SHAPE"].read_text(encoding="utf-8"), (
        "the shape of findings has changed. A new field with a default: run "
        "`python tests/report/write_pinned.py`. Anything else: raise SCHEMA_VERSION in "
        "harness/api/findings.py first, and say so in CHANGELOG.md"
    )


def test_what_the_first_writer_of_this_version_wrote_is_still_read():
    findings = harness.load_findings(PINNED / f"findings-{SCHEMA_VERSION}.json")
    assert findings.suite == "made-up"
    assert len(findings.runs) == 2 * 2 * 2 * 2 * 2


def test_findings_are_read_back_from_the_file_or_its_folder(written):
    findings, path = written
    assert harness.load_findings(path) == findings
    assert harness.load_findings(str(path.parent)) == findings


def test_the_findings_that_a_run_keeps_are_read_too(written, tmp_path):
    findings, _ = written
    kept = tmp_path / "findings.json"
    head = json.dumps({"state": "f" * 64, "reports": ["report.html"]})
    kept.write_text(f"{head}\n{findings.model_dump_json()}\n", encoding="utf-8")
    assert harness.load_findings(kept) == findings


@pytest.mark.parametrize(("version", "way"), [(99, "a later"), (0, "an earlier")])
def test_a_file_of_another_version_is_refused_by_name(written, version, way):
    _, path = written
    path.write_text(path.read_text().replace('"schema_version": 1', f'"schema_version": {version}'))
    with pytest.raises(HarnessError, match=f"report.json was written by {way} seedscape") as error:
        harness.load_findings(path)
    assert f"its schema is version {version}, and this one reads version 1" in str(error.value)
    assert "seedscape report SUITE --format json" in str(error.value)


def test_a_file_that_ends_early_is_damaged(written):
    _, path = written
    path.write_text(path.read_text()[:-200])
    with pytest.raises(HarnessError, match="is damaged: it ends early or is no JSON"):
        harness.load_findings(path)


def test_a_value_of_the_wrong_kind_is_named_by_its_place(written):
    _, path = written
    fields = json.loads(path.read_text())
    fields["runs"][3]["value"] = "high"
    path.write_text(json.dumps(fields))
    with pytest.raises(HarnessError, match=r"is damaged: runs\.3\.value: ") as error:
        harness.load_findings(path)
    assert "\n" not in str(error.value)


def test_a_field_of_a_newer_release_asks_for_an_update(written):
    _, path = written
    fields = json.loads(path.read_text())
    fields["spreads"][0]["skew"] = 0.1
    path.write_text(json.dumps(fields))
    with pytest.raises(
        HarnessError, match=r"spreads\.0\.skew, which .* not know; update seedscape"
    ):
        harness.load_findings(path)


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": 1}', '{"schema_version": "1"}'])
def test_any_other_json_holds_no_findings(text, tmp_path):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(HarnessError, match=r"other.json holds no findings; name a report.json"):
        harness.load_findings(tmp_path / "other.json")


def test_a_place_without_findings_is_named(tmp_path):
    with pytest.raises(HarnessError, match=r"holds neither report\.json nor"):
        harness.load_findings(tmp_path)
    with pytest.raises(HarnessError, match=r"cannot read .*nothing.json: No such file"):
        harness.load_findings(tmp_path / "nothing.json")
