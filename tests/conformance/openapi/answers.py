"""Holds the answers of the service against its document, with a token and without.

Usage: answers.py BASE_URL < SETTINGS, which are JSON: `token`. Prints JSON: for `with_token` and `without`, the statuses
that each operation answered with. Fails if the document is not valid, or, with Schemathesis's report, if an answer is not as
documented.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openapi_spec_validator import validate

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Several times what a run takes.
TIMEOUT_SECONDS = 240


def asked(document, base_url, folder, credentials):
    """Has Schemathesis ask all operations, and returns the statuses that each answered with."""
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(CONFIG.read_text() + credentials)
    command = [sys.executable, "-B", "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"]
    command += ["run", "openapi.json", "--url", base_url, "--no-color"]
    command += ["--report", "har", "--report-har-path", "requests.json"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    if ended.returncode != 0:
        sys.exit(ended.stdout + ended.stderr)
    entries = json.loads((folder / "requests.json").read_text())["log"]["entries"]
    return statuses(document, base_url, entries)


def statuses(document, base_url, entries):
    """The statuses by operation, such as `GET /healthz`."""
    operations = [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    ]
    patterns = {operation: pattern(operation) for operation in operations}
    seen = {operation: set() for operation in patterns}
    for entry in entries:
        request = entry["request"]
        asked_for = request["method"] + " " + request["url"].removeprefix(base_url).split("?")[0]
        for operation, requests in patterns.items():
            if requests.fullmatch(asked_for):
                seen[operation].add(entry["response"]["status"])
    return {operation: sorted(found) for operation, found in seen.items()}


def pattern(operation):
    """What the requests of an operation look like: any text for each parameter of its path."""
    return re.compile("[^/]*".join(re.escape(part) for part in re.split(r"\{[^}]*\}", operation)))


def run(document, base_url, credentials):
    """The statuses of a run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return asked(document, base_url, Path(folder), credentials)


def main():
    base_url, settings = sys.argv[1], json.load(sys.stdin)
    with urllib.request.urlopen(base_url + "/openapi.json", timeout=10) as answer:
        document = json.load(answer)
    validate(document)
    token = json.dumps(settings["token"])
    credentials = f"\n[auth.openapi]\nclientAuthorization = {{ api_key = {token} }}\nbearer = {{ bearer = {token} }}\n"
    runs = {"with_token": credentials, "without": ""}
    # One waits for what it writes while the other is refused.
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda lines: run(document, base_url, lines), runs.values())
        print(json.dumps(dict(zip(runs, answers))))


main()
