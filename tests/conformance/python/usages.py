"""A published client for Python that signs with MD5 alone, as the vendor's documents once said, asks for usages.

Usage: usages.py BASE_URL < SETTINGS, which are JSON: `code`, `secret`. Prints JSON: for each method, the status and the
body of the answer.
"""

import json
import sys
import warnings

from avangate_rest_api_client import Client

# The client takes its time in a way that Python has come to warn of.
warnings.simplefilter("ignore", DeprecationWarning)


def main():
    settings = json.load(sys.stdin)
    client = Client(settings["code"], settings["secret"])
    client.set_base_url(sys.argv[1])
    usages = "/subscriptions/83FE4FEF2/usages/"
    answers = {
        "GET": client.get(usages),
        "POST": client.post(usages),
        "PUT": client.put(usages + "123459876/"),
        "DELETE": client.delete(usages),
    }
    print(json.dumps({name: [answer.status_code, answer.json()] for name, answer in answers.items()}))


main()
