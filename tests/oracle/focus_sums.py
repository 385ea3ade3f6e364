#!/usr/bin/env python3
"""Sums of the FOCUS sample straight from its CSV: no events, no time zones, nothing of the service's rules.

Prints, by billing account, `{"usage": {service: sum}, "rows": n, "rejected": {reason: n}}`. All of the sample's usage is of
September 2024.
"""

import csv
import json
import sys
from decimal import Decimal, getcontext

getcontext().prec = 400


def main(path):
    accounts = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert row["ChargePeriodStart"].startswith("2024-09-"), row["Id"]
            empty = {"usage": {}, "rows": 0, "rejected": {}}
            account = accounts.setdefault(row["BillingAccountId"], empty)
            account["rows"] += 1
            quantity = row["ConsumedQuantity"]
            reason = "missing_member" if quantity == "NULL" else "negative_units" if Decimal(quantity) < 0 else None
            if reason:
                account["rejected"][reason] = account["rejected"].get(reason, 0) + 1
                continue
            service = row["ServiceName"]
            account["usage"][service] = account["usage"].get(service, 0) + Decimal(quantity)
    for account in accounts.values():
        account["usage"] = {service: format(usage, "f") for service, usage in account["usage"].items()}
    print(json.dumps(accounts))


if __name__ == "__main__":
    main(sys.argv[1])
