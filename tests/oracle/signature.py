"""A merchant's signature in the documented scheme of 2Checkout, by Python's own HMAC.

Usage: signature.py ALGORITHM CODE DATE < SECRET. Prints the hash, in JSON.
"""

import hashlib
import hmac
import json
import sys

DIGESTS = {"md5": hashlib.md5, "sha256": hashlib.sha256, "sha3-256": hashlib.sha3_256}


def signature(algorithm, code, date, secret):
    """The hash of code and date, each behind its length in bytes."""
    parts = [text.encode() for text in (code, date)]
    message = b"".join(str(len(part)).encode() + part for part in parts)
    return hmac.new(secret, message, DIGESTS[algorithm]).hexdigest()


if __name__ == "__main__":
    print(json.dumps(signature(*sys.argv[1:4], sys.stdin.buffer.read())))
