"""Small logs whose bill is computed by hand."""

import unittest
from decimal import Decimal

from bill import bills
from history import Registry, replay
from test_history import UTC, record
from verdicts import Rules

PRICES = {
    "cpu": ("compute", Decimal("0.0125"), "EUR"),
    "gpu": ("compute", Decimal("2"), "EUR"),
    "sms": ("messages", Decimal("0.5"), "JPY"),
    "refund": ("goodwill", Decimal("-1"), "EUR"),
}


def items(*records):
    """Amount, type, time and description of each item of a customer's bill."""
    live, _, _, _ = replay(records, Rules(UTC))
    answer = bills(live, PRICES, Registry(None, UTC), UTC)
    return [item[1:] for item in answer.get("c", [])]


class Bills(unittest.TestCase):
    def test_option_codes_of_a_service_are_one_item(self):
        log = [record(0, Units="2"), record(1, EventId="f", OptionCode="gpu", UsageEnd="2026-10-03T18:30:00.25Z")]
        expected = ("EUR", "2.02", "charge", "2026-10-03T18:30:00.25Z", "compute: 3 units in 10.2026")
        self.assertEqual(items(*log), [expected])

    def test_what_has_no_price_is_no_item(self):
        self.assertEqual(items(record(0, OptionCode="disk")), [])

    def test_halves_are_rounded_to_even_and_once(self):
        def amount(units, option_code):
            return [item[1] for item in items(record(0, Units=units, OptionCode=option_code))]

        self.assertEqual(amount("2", "cpu"), ["0.02"])
        self.assertEqual(amount("1.2", "cpu"), ["0.02"])
        self.assertEqual(amount("1", "sms"), ["0"])
        self.assertEqual(amount("3", "sms"), ["2"])
        many = [record(offset, EventId=str(offset), Units="0.4") for offset in range(10)]
        self.assertEqual(items(*many)[0][1], "0.05")

    def test_money_back_is_a_credit(self):
        expected = ("EUR", "-1.00", "credit", "2026-10-03T18:00:00Z", "goodwill: 1 units in 10.2026")
        self.assertEqual(items(record(0, OptionCode="refund")), [expected])
