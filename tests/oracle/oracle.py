#!/usr/bin/env python3
"""What the monthly history must be, by the documented rules alone.

Reads a Kafka log as lines of JSON, in any order of partitions:

    {"topic":"t","partition":0,"offset":7,"timestamp_ms":1791050405000,"value":"<base64>","headers":[["name","<base64>"]]}

(`value` is null for a record without one) and prints one JSON object: `records`, `copies` (usable events, resends
included), `events` (those that count), `rejects` (how many for each reason: records, and events whose identity is taken
by other content), `rejected` (the place of each: topic, partition, offset, and index of the event, -1 for the whole
record; and its reason), `conflicts` (the places of those events), `history` (the HTTP answer by customer) and `bills` (the
items by customer).

It shares no code with the service: Python's decimal and zoneinfo, and nothing beyond the standard library. It is naive
on purpose; being obvious is its only merit.
"""

import argparse
import base64
import json
from collections import Counter

from bill import bills, read_prices
from history import Registry, histories, read_catalog, replay
from verdicts import Record, Rules
from zones import zone_of


def read_log(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            value = fields["value"]
            headers = {name: base64.b64decode(text or "") for name, text in fields.get("headers", [])}
            yield Record(
                fields["topic"],
                fields["partition"],
                fields["offset"],
                fields["timestamp_ms"],
                None if value is None else base64.b64decode(value),
                headers,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", help="file with the Kafka log")
    parser.add_argument("--zone", default="UTC", help="billing time zone, IANA name")
    parser.add_argument("--catalog", help="CSV file: code, service, unit_price, currency")
    parser.add_argument("--subscriptions", help="CSV file: subscription, customer, start, expires")
    parser.add_argument("--allow-negative-units", action="store_true")
    arguments = parser.parse_args()

    zone = zone_of(arguments.zone)
    records = list(read_log(arguments.log))
    rules = Rules(zone, allow_negative_units=arguments.allow_negative_units)
    events, copies, conflicts, rejected = replay(records, rules)
    registry = Registry(arguments.subscriptions, zone)
    answer = {
        "records": len(records),
        "copies": copies,
        "events": len(events),
        "rejects": Counter(reason for _, reason in rejected),
        "rejected": rejected,
        "conflicts": conflicts,
        "history": histories(events, read_catalog(arguments.catalog), registry, zone),
        "bills": bills(events, read_prices(arguments.catalog), registry, zone),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
