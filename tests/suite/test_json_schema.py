"""The JSON Schema agrees with what `check` accepts, as far as a schema can."""

import json

import pytest

from harness.plug import discover
from harness.suite import built_in_suites
from harness.suite.language import SUITE_KEYS
from harness.suite.nodes import plain
from harness.suite.parsing import parse, parse_file
from harness.suite.schema import schema_of


@pytest.fixture(scope="module")
def toy_schema():
    from pathlib import Path

    return schema_of(discover(extra=[str(Path(__file__).with_name("toy_offers.py"))]))


@pytest.fixture
def accepts(toy_schema):
    validator = pytest.importorskip("jsonschema").Draft202012Validator(toy_schema)
    return lambda text: validator.is_valid(plain(parse(text, "s.yaml")))


def test_the_schema_is_json(toy_schema):
    assert json.loads(json.dumps(toy_schema)) == toy_schema


def test_every_section_is_described(toy_schema):
    assert set(toy_schema["properties"]) == set(SUITE_KEYS)
    assert all(section["description"] for section in toy_schema["properties"].values())


def test_every_reference_leads_somewhere(toy_schema):
    text = json.dumps(toy_schema)
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names and names <= set(toy_schema["$defs"])


def test_every_setting_of_every_offer_is_there(toy_schema):
    settings = toy_schema["$defs"]["model.tiny"]["properties"]
    assert set(settings) == {"width", "rho", "hidden", "optimizer", "start", "scale", "kinds"}
    assert settings["width"]["description"] == "width"
    assert settings["width"]["default"] == 8


def test_the_schema_is_valid(toy_schema):
    pytest.importorskip("jsonschema").Draft202012Validator.check_schema(toy_schema)


@pytest.mark.parametrize("name", sorted(built_in_suites()))
def test_built_in_suites_agree_with_the_schema(name, catalogue):
    jsonschema = pytest.importorskip("jsonschema")
    suite = plain(parse_file(built_in_suites()[name], name))
    jsonschema.Draft202012Validator(schema_of(catalogue)).validate(suite)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "{tiny: {width: {sweep: [1, 2]}, hidden: [1, 2]}, as: x}"},
        {"model": "{tiny: }"},
        {"metrics": "[{gap: {}, pairs: 7, splits: test}, bend]"},
        {"inits": "[random, {checkpoint: a.safetensors, as: b}]"},
        {"limit": "{steps: 3}"},
    ],
)
def test_what_check_accepts_the_schema_accepts(accepts, lines, changes):
    assert accepts(lines(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"metrix": "[]"},
        {"scores": None},
        {"models": "[tiny]"},
        {"model": "tinny"},
        {"model": "{tiny: {roh: 1}}"},
        {"model": "{tiny: {width: 0}}"},
        {"model": "{tiny: {width: {sweep: []}}}"},
        {"model": "{tiny: {optimizer: {nam: sgd}}}"},
        {"scores": "[{right: {}, fair: {}}]"},
        {"metrics": "[{gap: {}, pairs: some}]"},
        {"seeds": "{pretrain: -1, finetune: 2}"},
        {"data": "{dataset: flowers, batch: 8, ood: {a: {bye: turn}}}"},
    ],
)
def test_what_check_refuses_the_schema_refuses(accepts, lines, changes):
    assert not accepts(lines(**changes))
