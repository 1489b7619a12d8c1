"""Options that several commands share reach them as records."""

import click
import pytest
from click.testing import CliRunner

from harness.api.cells import Limit
from harness.commands.options import (
    PluginOptions,
    SuiteOptions,
    plugin_options,
    store_option,
    suite_options,
)


def given(decorator, *arguments):
    """What a command with that decorator is handed."""

    @click.command()
    @decorator
    def command(**handed):
        return handed

    return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False)


def test_plugin_options_come_as_one_record():
    handed = given(plugin_options, "-p", "a.py", "--plugin", "b", "--without", "zoo").return_value

    assert handed == {"plugins": PluginOptions(extra=("a.py", "b"), without=("zoo",))}


def test_suite_options_come_as_one_record():
    arguments = ("quick", "--set", "a=1", "--set", "b.c=2", "--limit", "7", "--smoke", "-p", "x.py")

    handed = given(suite_options, *arguments).return_value

    assert handed == {
        "suite": SuiteOptions(
            name="quick",
            overrides=("a=1", "b.c=2"),
            limit=Limit(examples=7, steps=7),
            smoke=True,
            plugins=PluginOptions(extra=("x.py",)),
        )
    }


def test_a_suite_named_alone_has_no_limit():
    assert given(suite_options, "quick").return_value == {"suite": SuiteOptions("quick")}


def test_a_limit_below_one_is_refused():
    with pytest.raises(click.BadParameter):
        given(suite_options, "quick", "--limit", "0")


def test_options_can_be_combined_with_a_commands_own():
    def all_of_them(function):
        return store_option(suite_options(click.option("--json", is_flag=True)(function)))

    assert given(all_of_them, "quick", "--store", "elsewhere", "--json").return_value == {
        "suite": SuiteOptions("quick"),
        "store": "elsewhere",
        "json": True,
    }
