#!/usr/bin/env python3
"""Puts known bugs into a copy of the code, one after the other, and sees that a named test catches each.

A mutant is a patch in this folder. Its first lines say what is wrong and which test has to fail:

    # what: offsets are committed before the rows are stored
    # caught-by: -p meterhouse-tests --test crashes kill::batch_sealed

The copy is at .local/mutants (below METERHOUSE_LOCAL_DIR where that is set), with a target folder of its own that later
runs use again. A test that fails without its mutant, a patch that does not apply, code that does not build: all of it is
an error. Names of mutants as arguments run only those; --check only sees whether all of them apply.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SOURCE = FOLDER.parent.parent
LOCAL = Path(os.environ.get("METERHOUSE_LOCAL_DIR") or SOURCE / ".local").resolve()
TREE = LOCAL / "mutants"
TEST_SECONDS = 900
PROGRAMS = ["-p", "meterhouse", "-p", "meterhouse-localstack"]


class Failure(Exception):
    """A mutant, or what it needs, is not as it has to be."""


class Mutant:
    """A patch, and what its head says."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        head = dict(re.findall(r"^# ([a-z-]+): (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        self.what, self.caught_by = head["what"], shlex.split(head["caught-by"])


def apply(mutant, tree, *more):
    """Puts a mutant into a tree."""
    command = ["patch", "-p1", "--forward", "--fuzz=0", "--no-backup-if-mismatch", "-i", mutant.path, *more]
    applied = run(command, cwd=tree)
    if applied.returncode:
        raise Failure(f"does not apply:\n{applied.stdout}{applied.stderr}")


def copy_tree():
    """Makes the copy like the checkout; files that are alike keep their times, so little is built again."""
    listed = run(["git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).stdout
    names = {name for name in listed.split("\0") if name and (SOURCE / name).is_file()}
    for name in names:
        source, target = SOURCE / name, TREE / name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in TREE.rglob("*"):
        name = path.relative_to(TREE).as_posix()
        if path.is_file() and name not in names and not name.startswith("target/"):
            path.unlink()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def cargo(arguments, seconds=None):
    environment = {**os.environ, "METERHOUSE_LOCAL_DIR": str(LOCAL), "CARGO_TARGET_DIR": str(TREE / "target")}
    command = ["timeout", str(seconds), "cargo"] if seconds else ["cargo"]
    return run([*command, *arguments], cwd=TREE, env=environment)


def build(mutant):
    for arguments in (["build", *PROGRAMS], ["test", "--no-run", *options(mutant.caught_by)]):
        built = cargo(arguments)
        if built.returncode:
            raise Failure(f"does not build:\n{tail(built.stderr)}")


def options(arguments):
    """What selects the test's program: all but the test's own name."""
    names = [place for place, word in enumerate(arguments) if not word.startswith("-")]
    values = {place + 1 for place, word in enumerate(arguments) if word in ("-p", "--test", "--package")}
    return [word for place, word in enumerate(arguments) if place not in set(names) - values and word != "--"]


def test(mutant):
    """Whether the test passes; it has to be there."""
    outcome = cargo(["test", *mutant.caught_by], TEST_SECONDS)
    if not re.search(r"^running [1-9]", outcome.stdout, re.MULTILINE):
        raise Failure(f"no such test: {shlex.join(mutant.caught_by)}\n{tail(outcome.stderr)}")
    return outcome.returncode == 0, outcome.stdout


def try_mutant(mutant, passing):
    """Raises unless the test passes without the mutant and fails with it."""
    command = tuple(mutant.caught_by)
    if command not in passing:
        build(mutant)
        passes, output = test(mutant)
        if not passes:
            raise Failure(f"its test fails without it, too:\n{tail(output)}")
        passing.add(command)
    apply(mutant, TREE)
    build(mutant)
    passes, _ = test(mutant)
    if passes:
        raise Failure(f"SURVIVED {shlex.join(mutant.caught_by)}")


def tail(text):
    return "\n".join(text.splitlines()[-30:])


def check(mutants):
    """Names the mutants that do not apply to the code as it is."""
    failed = []
    for mutant in mutants:
        try:
            apply(mutant, SOURCE, "--dry-run")
        except Failure as failure:
            failed.append(f"{mutant.name} {failure}")
    sys.exit("\n".join(failed) or 0)


def main():
    wanted = set(sys.argv[1:]) - {"--check"}
    mutants = [Mutant(path) for path in sorted(FOLDER.glob("*.patch")) if not wanted or path.stem in wanted]
    if not mutants or len(mutants) < len(wanted):
        sys.exit(f"no such mutant among {wanted}")
    if "--check" in sys.argv:
        check(mutants)
    TREE.mkdir(parents=True, exist_ok=True)
    passing, failed = set(), []
    for mutant in mutants:
        copy_tree()
        begun = time.monotonic()
        try:
            try_mutant(mutant, passing)
            outcome = "caught"
        except Failure as failure:
            failed.append(mutant.name)
            outcome = str(failure)
        print(f"{mutant.name}: {mutant.what}\n    {time.monotonic() - begun:.0f} s, {outcome}", flush=True)
    copy_tree()
    print(f"{len(mutants) - len(failed)} of {len(mutants)} mutants were caught")
    sys.exit(f"not caught: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
