"""Two plugins with one name: neither wins until the user says so."""

import pytest

from harness.api.errors import HarnessError
from harness.plug import discover

NET = """
from harness.api.hooks import hookimpl
from harness.api.offers import Model

def build(settings, room): ...

@hookimpl
def harness_models():
    return [
        Model(name="twin-net", about="", build=build),
        Model(name=f"{__name__}-own", about="", build=build),
    ]
"""


def test_asking_for_a_name_that_two_offer_names_both_and_the_way_out(install):
    install("acme-zoo", NET, version="1.2")
    install("rival-zoo", NET, version="0.9")

    with pytest.raises(HarnessError) as error:
        discover().find("model", "twin-net")

    assert str(error.value) == (
        "model 'twin-net' is offered by acme-zoo 1.2 (zoo) and rival-zoo 0.9 (zoo); choose one of"
        " them with --without acme-zoo:zoo or --without rival-zoo:zoo"
    )


def test_only_the_name_in_conflict_is_out_of_use(install):
    install("acme-zoo", NET)
    install("rival-zoo", NET)

    catalogue = discover()

    assert catalogue.find("model", "acme_zoo-own").distribution == "acme-zoo"
    assert [[provided.distribution for provided in rivals] for rivals in catalogue.conflicts()] == [
        ["acme-zoo", "rival-zoo"]
    ]
    assert [each.distribution for each in catalogue.all() if each.offer.name == "twin-net"] == [
        "acme-zoo",
        "rival-zoo",
    ]


@pytest.mark.parametrize("name", ["acme-zoo", "acme-zoo:zoo", "acme_zoo", "Acme.Zoo"])
def test_without_picks_one(install, name):
    install("acme-zoo", NET)
    install("rival-zoo", NET)

    catalogue = discover(without=[name])

    assert catalogue.find("model", "twin-net").distribution == "rival-zoo"
    assert catalogue.conflicts() == ()
    assert "acme-zoo" not in {each.distribution for each in catalogue.set_aside}


def test_without_by_plugin_name_means_every_plugin_of_that_name(install):
    install("acme-zoo", NET)
    install("rival-zoo", NET)

    catalogue = discover(without=["zoo"])

    assert not [each for each in catalogue.plugins if each.plugin == "zoo"]


def test_leaving_out_a_plugin_that_is_not_there_is_an_error(install):
    install("acme-zoo", NET)

    with pytest.raises(HarnessError, match="no such plugin; did you mean 'acme-zoo'"):
        discover(without=["acme-zo"])


def test_two_plugins_of_one_distribution_conflict_like_strangers(install):
    site = install("acme-zoo", {"acme_one.py": NET, "acme_two.py": NET})
    points = site / "acme_zoo-1.0.dist-info" / "entry_points.txt"
    points.write_text("[harness]\none = acme_one\ntwo = acme_two\n")

    with pytest.raises(HarnessError, match="--without acme-zoo:one or --without acme-zoo:two"):
        discover().find("model", "twin-net")

    assert discover(without=["acme-zoo:one"]).find("model", "twin-net").origin == "two"
