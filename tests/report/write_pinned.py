"""Write the pinned shape of findings anew: `python tests/report/write_pinned.py`.

Only after the decision that the failing test asks for.
"""

import json
from pathlib import Path

from harness.api.findings import SCHEMA_VERSION, Findings

PINNED = Path(__file__).parent / "pinned"
SHAPE = PINNED / f"findings-{SCHEMA_VERSION}.txt"


def shape() -> str:
    """The JSON schema of findings, a line for each field, without what is written for people."""
    schema = Findings.model_json_schema()
    records = {"Findings": schema, **schema["$defs"]}
    return "".join(
        f"{name}.{field}: {'required ' * (field in record.get('required', ()))}"
        f"{json.dumps(_bare(kind), sort_keys=True)}\n"
        for name, record in sorted(records.items())
        for field, kind in record.get("properties", {}).items()
    )


def _bare(node: object) -> object:
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key != "title"}
    return [_bare(each) for each in node] if isinstance(node, list) else node


if __name__ == "__main__":
    SHAPE.write_text(shape(), encoding="utf-8")
