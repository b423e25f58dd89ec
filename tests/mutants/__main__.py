"""Tells lies about gateway_ctl and asks the tests: `python -m tests.mutants [MODULE ..]`.

Ends with 1 when a mutant survives that ARGUED.toml does not speak of, or when it speaks of one that is killed.
"""

import argparse
import random
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from tests.mutants.mutate import Mutant, mutants
from tests.mutants.plan import ROOT, Plan, members, plans
from tests.mutants.run import Judge, Memory, Verdict, basis

ARGUED = Path(__file__).with_name("ARGUED.toml")


def argued() -> dict[str, str]:
    """Why a mutant that survives changes nothing that matters, by its key."""
    rows = tomllib.loads(ARGUED.read_text(encoding="utf-8")).get("argued", [])
    return {row["mutant"]: row["why"] for row in rows}


def of(plan: Plan) -> list[Mutant]:
    """All mutants of a plan's module."""
    return mutants(plan.module, plan.path.read_text(encoding="utf-8"), members())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("modules", nargs="*", help="gateway_ctl.interlock or interlock; none: all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0, help="only so many of each module, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--where", default="", help="only mutants whose key holds this")
    parser.add_argument("--fast", action="store_true", help="only the tests that stand nearest to each module")
    parser.add_argument("--list", action="store_true", help="say what would be asked")
    parser.add_argument("--memory", type=Path, default=ROOT / ".mutants" / "memory.json")
    asked = parser.parse_args()
    known = plans()
    names = [name if name.startswith("gateway_ctl.") else f"gateway_ctl.{name}" for name in asked.modules] or list(
        known
    )
    if strangers := [name for name in names if name not in known]:
        parser.error(f"no plan for {', '.join(strangers)}; there are {', '.join(known)}")
    whole = not asked.sample and not asked.where
    bad = False
    for name in names:
        bad |= not _module(known[name], asked, whole=whole)
    return int(bad)


def _module(plan: Plan, asked: argparse.Namespace, *, whole: bool) -> bool:
    """Whether every survivor of it is argued."""
    chosen = [mutant for mutant in of(plan) if asked.where in mutant.key]
    if asked.sample:
        chosen = random.Random(asked.seed).sample(chosen, min(asked.sample, len(chosen)))
    if asked.list:
        for mutant in chosen:
            print(mutant.diff(), end="\n\n")
        return True
    memory, ground, began = Memory(asked.memory), basis(plan), time.monotonic()
    known = memory.of(plan, ground)
    hints = memory.hints(plan)
    verdicts = [Verdict(m, *known[m.key]) for m in chosen if m.key in known]  # pyright: ignore[reportArgumentType]
    left = [mutant for mutant in chosen if mutant.key not in known]
    fresh: list[Verdict] = []

    def keep() -> None:
        # What survives the near tests only is not known to survive.
        memory.keep(plan, ground, [v for v in fresh if v.fate != "survived" or not asked.fast])

    def heard(verdict: Verdict) -> None:
        fresh.append(verdict)
        if sys.stderr.isatty():
            print(f"\r{plan.module}: {len(fresh)} of {len(left)}", end="", file=sys.stderr)
        if len(fresh) % 50 == 0:
            keep()

    if left:
        Judge(plan, jobs=asked.jobs, fast=asked.fast).judge(left, hints, heard)
        keep()
    verdicts += fresh
    return _told(plan, verdicts, time.monotonic() - began, whole=whole)


def _told(plan: Plan, verdicts: list[Verdict], took_s: float, *, whole: bool) -> bool:
    fates, reasons = Counter(verdict.fate for verdict in verdicts), argued()
    survivors = [verdict.mutant for verdict in verdicts if verdict.fate == "survived"]
    bare = [mutant for mutant in survivors if mutant.key not in reasons]
    alive = {mutant.key for mutant in survivors}
    stale = [key for key in reasons if key.startswith(f"{plan.module}:") and key not in alive] if whole else []
    for mutant in bare:
        print(f"SURVIVED {mutant.diff()}\n  key: {mutant.key}\n")
    for key in stale:
        print(f"ARGUED FOR NOTHING, it is killed or gone: {key}\n")
    print(
        f"{plan.module}: {len(verdicts)} mutants, {fates['killed']} killed, {fates['timeout']} never ended, "
        f"{len(survivors) - len(bare)} argued, {len(bare)} survived; {took_s:.0f} s",
        flush=True,
    )
    return not bare and not stale


if __name__ == "__main__":
    sys.exit(main())
