"""The verdict on every fixture under schemas/, and on a few records more."""

import base64
import json
import unittest
from pathlib import Path

from members import Reject
from texts import show_units
from verdicts import Record, Rules, judge
from zones import zone_of

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
CONFIGURABLE = ("max_record_bytes", "max_age_days", "max_future_seconds", "max_interval_days", "allow_negative_units")


def fixtures(folder):
    """Name, record, rules and expectation of each fixture that the record alone decides."""
    for path in sorted((SCHEMAS / folder).glob("*.json")):
        text = path.read_text(encoding="utf-8")
        fixture = json.loads(text)
        rules = fixture.get("rules", {})
        by_file = "subscriptions_csv" in rules or "catalog_csv" in rules
        if not by_file and fixture["expect"].get("stage") != "store":
            chosen = {name: rules[name] for name in CONFIGURABLE if name in rules}
            zone = zone_of(rules.get("time_zone", "UTC"))
            yield path.name, record_of(fixture["record"], text), Rules(zone, **chosen), fixture["expect"]


def record_of(fields, text):
    if "value" in fields:
        # The text that stands in the file, numbers and all.
        start = text.index('"value":') + len('"value":')
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = json.JSONDecoder().raw_decode(text, start)
        value = text[start:end].encode()
    elif "value_text" in fields:
        value = fields["value_text"].encode()
    else:
        value = base64.b64decode(fields["value_base64"]) if "value_base64" in fields else None
    headers = {name: header.encode() for name, header in fields.get("headers", {}).items()}
    timestamp_ms = fields.get("timestamp_ms", 1_791_050_405_000)
    place = fields.get("topic", "usage-events"), fields.get("partition", 3), fields.get("offset", 12345)
    return Record(*place, timestamp_ms, value, headers)


def verdict(record, rules):
    """Reason and index of a reject, None twice for a usable record."""
    try:
        judge(record, rules)
    except Reject as reject:
        return reject.reason, reject.index
    return None, None


class Fixtures(unittest.TestCase):
    def test_examples(self):
        judged = 0
        for name, record, rules, expect in fixtures("examples"):
            if record.timestamp_ms is None:
                continue  # Kafka's records of today always have one
            with self.subTest(name):
                events = judge(record, rules)
                self.assertEqual(len(events), len(expect["events"]))
                for event, expected in zip(events, expect["events"]):
                    self.assertEqual(event.subscription, expected["subscription"])
                    self.assertEqual(event.identity, expected["identity"])
                    self.assertEqual(show_units(event.units), expected["units"])
                    year, month, _ = expected["billing_day"].split("-")
                    self.assertEqual(event.month, (int(year), int(month)))
            judged += 1
        self.assertGreater(judged, 15)

    def test_rejects(self):
        judged = 0
        for name, record, rules, expect in fixtures("rejects"):
            index = -1 if expect["index"] is None else expect["index"]
            with self.subTest(name):
                self.assertEqual(verdict(record, rules), (name.split(".")[0], index))
            judged += 1
        self.assertGreater(judged, 80)


class Limits(unittest.TestCase):
    """Both sides of every limit in time; the record is of 2026-10-03T18:00:05Z."""


    def reason(self, start, end):
        members = {"EventId": "e", "SubscriptionReference": "s", "OptionCode": "o", "Units": 1}
        members.update(UsageStart=start, UsageEnd=end)
        reason, _ = verdict(record_of({"value_text": json.dumps(members)}, ""), Rules(zone_of("UTC")))
        return reason

    def test_age_future_and_length(self):
        for start, end, reason in (
            ("2021-09-29T18:00:05Z", "2021-09-29T18:00:05Z", None),
            ("2021-09-29T18:00:04Z", "2021-09-29T18:00:04.999999Z", "too_old"),
            ("2026-10-03T19:00:05Z", "2026-10-03T19:00:05Z", None),
            ("2026-10-03T19:00:05Z", "2026-10-03T19:00:05.000001Z", "in_future"),
            ("2026-09-01T00:00:00Z", "2026-10-02T00:00:00Z", None),
            ("2026-09-01T00:00:00Z", "2026-10-02T00:00:00.000001Z", "interval_too_long"),
            ("2026-10-02T00:00:01Z", "2026-10-02T00:00:00Z", "start_after_end"),
        ):
            self.assertEqual(self.reason(start, end), reason, (start, end))


if __name__ == "__main__":
    unittest.main()
