"""What a suite would do, in a few lines."""

from collections.abc import Iterable, Iterator

from harness.api.cells import Plan, Stage
from harness.api.suites import Suite


def summary(suite: Suite, plan: Plan) -> Iterator[str]:
    """Lines for a reader: what is trained, over which seeds, on what, and what is looked at.

    Runs are counted in the suite's plan: where one checkpoint serves all pretraining seeds, they
    are fewer than the seeds.
    """
    title = f": {suite.title}" if suite.title else ""
    yield f"{suite.id} {suite.version}{title}"
    seeds = suite.seeds
    yield _line("models", (use.label for use in suite.models))
    yield _line("inits", (init.label for init in suite.inits))
    yield _line("methods", (use.label for use in suite.methods))
    if suite.pretrain is not None:
        data = suite.pretrain.data
        yield _line("pretrain", [f"{suite.pretrain.method.label} on {data.train.dataset.label}"])
    counts = [f"{len(seeds.pretrain)} pretrain x {len(seeds.finetune)} fine-tune"]
    if seeds.order is not None:
        counts[0] += f" x {len(seeds.order)} order"
    yield _line("seeds", [f"{counts[0]}, {seeds.design}"])
    pairs = len(suite.models) * len(suite.methods)
    runs = sum(cell.stage == Stage.FINETUNE for cell in plan.cells)
    yield _line("runs", [f"{runs} in {_count(pairs * len(suite.inits), 'procedure')}"])
    yield _line("data", [f"{suite.data.train.dataset.label}, batches of {suite.data.batch}"])
    for kind in ("id", "ood"):
        names = [split.name for split in suite.data.splits if split.kind == kind]
        yield _line(f"{kind.upper()} splits", names)
    yield _line("scores", (use.label for use in suite.scores))
    yield _line("metrics", (metric.use.label for metric in suite.metrics))
    primary = suite.primary
    answer = f"{primary.score} on {primary.id}"
    yield _line("primary", [answer + (f" against {', '.join(primary.ood)}" if primary.ood else "")])
    if suite.limit is not None:
        parts = {"examples per split": suite.limit.examples, "steps": suite.limit.steps}
        limits = [f"{number} {what}" for what, number in parts.items() if number is not None]
        yield _line("trial", [f"at most {' and '.join(limits)}"])


def _line(what: str, names: Iterable[str]) -> str:
    return f"  {what:<11} {', '.join(names) or '-'}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
