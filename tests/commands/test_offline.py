"""`--offline` holds for the hub's own library too, before anything of it is imported."""

import click
import pytest
from click.testing import CliRunner

from harness.commands.options import stay_offline


@pytest.mark.parametrize(("words", "told"), [((), None), (("--offline",), "1")])
def test_the_hub_is_told_where_no_network_may_be_used(words, told, monkeypatch):
    import os

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    @click.command()
    @click.option("--offline", is_flag=True, is_eager=True, callback=stay_offline)
    def command(offline):
        click.echo(f"{offline} {os.environ.get('HF_HUB_OFFLINE')}")

    done = CliRunner().invoke(command, words)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert done.output.split() == [str(bool(words)), str(told)]
