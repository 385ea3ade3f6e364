"""Cloudflare's client for Python reads a bill, and meets every refusal.

Usage: bill.py BASE_URL < SETTINGS, which are JSON: `token`, `email`, `key`. Prints JSON.
"""

import json
import sys
import warnings

from cloudflare import APIStatusError, Cloudflare

# The operation is deprecated in its document, and the client says so each time.
warnings.simplefilter("ignore", DeprecationWarning)


def client(**credentials):
    return Cloudflare(base_url=sys.argv[1], max_retries=0, **credentials)


def items(of, **parameters):
    """All items, page after page."""
    return [json.loads(item.to_json()) for item in of.user.billing.history.list(**parameters)]


def refusal(of, **parameters):
    """The class of the error, its status and codes."""
    try:
        items(of, **parameters)
    except APIStatusError as error:
        return [type(error).__name__, error.status_code, [each.code for each in error.errors]]
    return None


def main():
    settings = json.load(sys.stdin)
    token = client(api_token=settings["token"])
    answer = {
        "all": items(token, per_page=5),
        "by_email": items(client(api_email=settings["email"], api_key=settings["key"])),
        "credits": items(token, type="credit", order="occurred_at"),
        "latest": items(token, occurred_at=items(token)[0]["occurred_at"]),
        "refusals": {
            "per_page": refusal(token, per_page=4),
            "unknown token": refusal(client(api_token="unknown")),
            "unknown key": refusal(client(api_email=settings["email"], api_key="unknown")),
            "no address": refusal(client(api_email="nobody", api_key="unknown")),
        },
    }
    print(json.dumps(answer))


main()
