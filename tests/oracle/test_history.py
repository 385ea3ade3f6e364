"""Small logs whose history is computed by hand."""

import json
import tempfile
import unittest

from history import Registry, histories, replay
from verdicts import Record, Rules
from zones import zone_of

UTC = zone_of("UTC")
# 2026-11-24T12:00:00Z
NOW_MS = 1_795_521_600_000


def record(offset, timestamp_ms=NOW_MS, partition=0, **members):
    fields = {"SubscriptionReference": "s", "OptionCode": "cpu", "Customer": "c", "Units": "1", "EventId": "e"}
    fields.update(UsageStart="2026-10-03T17:00:00Z", UsageEnd="2026-10-03T18:00:00Z")
    fields.update(members)
    text = json.dumps({name: value for name, value in fields.items() if value is not None})
    return Record("t", partition, offset, timestamp_ms, text.encode(), {})


def months(records, zone=UTC, catalog=None, subscriptions=None, customer="c"):
    """Period, service and usage of each line of a customer's history."""
    live, _, _, _ = replay(records, Rules(zone))
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(subscriptions or "subscription,customer,start,expires\n")
        file.flush()
        registry = Registry(file.name, zone)
    answer = histories(live, catalog or {}, registry, zone)[customer]
    return [
        (month["period"], used["service"], used["usage"])
        for month in answer["service_usage_history"]
        for used in month["data"]
    ]


class Copies(unittest.TestCase):
    def test_a_resend_counts_once_and_a_conflict_never(self):
        log = [record(0), record(1), record(2, Units="7")]
        self.assertEqual(months(log), [("10.2026", "cpu", "1.0")])
        self.assertEqual(months([record(1, OptionCode="ram", Customer="d"), *log]), [("10.2026", "cpu", "1.0")])

    def test_the_first_copy_is_the_one_with_the_earliest_timestamp(self):
        log = [record(0, Units="7"), record(0, NOW_MS - 1, partition=3, Units="2")]
        self.assertEqual(months(log), [("10.2026", "cpu", "2.0")])

    def test_events_without_an_id_are_all_different(self):
        log = [record(0, EventId=None), record(1, EventId=None)]
        self.assertEqual(months(log), [("10.2026", "cpu", "2.0")])

    def test_the_highest_revision_wins_in_any_order(self):
        first, second = record(5, Action="amend", Revision=1, Units="3"), record(6, Action="delete", Revision=2)
        self.assertEqual(months([first, record(0)]), [("10.2026", "cpu", "3.0")])
        self.assertEqual(months([second, first, record(0), record(9, EventId="f")]), [("10.2026", "cpu", "1.0")])


class Conflicts(unittest.TestCase):
    """Which creations are in conflict, by their offsets."""

    def offsets(self, *records):
        _, _, conflicts, rejects = replay(records, Rules(UTC))
        self.assertEqual(rejects, [(place, "conflicting_duplicate") for place in conflicts])
        return [offset for _, _, offset, _ in conflicts]

    def test_what_differs_in_anything_is_a_conflict_of_the_first(self):
        first = record(0)
        for name, value in [
            ("Units", "1.5"),
            ("OptionCode", "ram"),
            ("Customer", None),
            ("UsageStart", "2026-10-03T17:00:01Z"),
            ("UsageEnd", "2026-10-04T18:00:00Z"),
            ("Description", "x"),
            ("RenewalOrderReference", 7),
        ]:
            self.assertEqual(self.offsets(record(1, **{name: value}), first), [1], name)

    def test_the_same_in_other_words_is_none(self):
        same = record(1, Units="1.00", UsageEnd="2026-10-03T20:00:00+02:00", Description="", Origin={"Request": "x"})
        # From the API, it counts as the first: the other one states the same.
        self.assertEqual(self.offsets(record(0), same), [])

    def test_the_first_usage_of_a_request_states_the_request(self):
        first, other = ({"Request": digit * 64} for digit in "ab")
        self.assertEqual(self.offsets(record(0, Origin=first), record(1, Origin=first)), [])
        self.assertEqual(self.offsets(record(0, Origin=first), record(1, Origin=other)), [1])

    def test_one_that_is_earlier_makes_the_others_conflicts(self):
        late, early = record(7, Units="2"), record(1, NOW_MS - 1, partition=3)
        self.assertEqual(self.offsets(late, record(8, Units="2"), early), [7, 8])

    def test_another_identity_is_another_event(self):
        self.assertEqual(self.offsets(record(0), record(1, EventId="f", Units="2")), [])
        self.assertEqual(self.offsets(record(0), record(1, SubscriptionReference="t", Units="2")), [])

    def test_a_change_is_no_conflict_and_settles_none(self):
        changes = [record(5, Action="amend", Revision=1, Units="3"), record(6, Action="delete", Revision=1)]
        self.assertEqual(self.offsets(*changes, record(0), record(2, Units="3")), [2])


class Months(unittest.TestCase):
    def test_an_interval_that_ends_on_the_edge_is_of_the_month_before_and_a_point_of_the_new_one(self):
        edge = "2026-10-01T00:00:00Z"
        log = [
            record(0, EventId="a", UsageStart="2026-09-30T23:00:00Z", UsageEnd=edge),
            record(1, EventId="b", UsageStart=edge, UsageEnd=edge, Units="0.25"),
        ]
        self.assertEqual(months(log), [("09.2026", "cpu", "1.0"), ("10.2026", "cpu", "0.25")])
        # In Berlin it is two o'clock in the morning of the first.
        self.assertEqual(months(log, zone_of("Europe/Berlin")), [("10.2026", "cpu", "1.25")])

    def test_every_month_lists_every_service_and_none_is_left_out(self):
        log = [
            record(0, EventId="a", UsageStart="2026-08-03T17:00:00Z", UsageEnd="2026-08-03T18:00:00Z"),
            record(1, EventId="b", OptionCode="disk", Units="0"),
            record(2, EventId="c", OptionCode="ram", Units="2.50"),
        ]
        self.assertEqual(
            months(log, catalog={"ram": "cpu"}),
            [
                ("08.2026", "cpu", "1.0"),
                ("08.2026", "disk", "0.0"),
                ("09.2026", "cpu", "0.0"),
                ("09.2026", "disk", "0.0"),
                ("10.2026", "cpu", "2.5"),
                ("10.2026", "disk", "0.0"),
            ],
        )


class Ownership(unittest.TestCase):
    REGISTRY = (
        "subscription,customer,start,expires\n"
        "s,c,,2026-10-03T12:00:00Z\n"
        "s,d,2026-10-03T12:00:00Z,2026-10-05T00:00:00Z\n"
    )

    def used(self, day, customer):
        log = [record(0, Customer=None, UsageStart=f"{day}T17:00:00Z", UsageEnd=f"{day}T18:00:00Z")]
        return bool(months(log, subscriptions=self.REGISTRY, customer=customer))

    def test_a_day_is_whose_its_first_instant_is(self):
        self.assertTrue(self.used("2026-10-03", "c"))
        self.assertFalse(self.used("2026-10-03", "d"))
        self.assertTrue(self.used("2026-10-04", "d"))
        self.assertFalse(self.used("2026-10-05", "d"))

    def test_a_named_customer_needs_no_registry(self):
        log = [record(0, Customer="d")]
        self.assertEqual(months(log, subscriptions=self.REGISTRY, customer="d"), [("10.2026", "cpu", "1.0")])
        self.assertEqual(months(log, subscriptions=self.REGISTRY, customer="c"), [])


if __name__ == "__main__":
    unittest.main()
