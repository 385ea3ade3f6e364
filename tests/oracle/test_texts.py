"""Times, calendars and units, by hand."""

import unittest
from datetime import date, datetime, timezone
from decimal import Decimal

from texts import UnitsFault, parse_time, parse_units, show_units
from zones import day_of, day_start, micros, month_of, zone_of

UTC, BERLIN = zone_of("UTC"), zone_of("Europe/Berlin")


def utc(*parts):
    return micros(datetime(*parts, tzinfo=timezone.utc))


class Times(unittest.TestCase):
    def test_both_forms(self):
        noon = utc(2026, 10, 3, 12)
        self.assertEqual(parse_time("2026-10-03 12:00:00", UTC), noon)
        self.assertEqual(parse_time("2026-10-03 14:00:00", BERLIN), noon)
        self.assertEqual(parse_time("2026-10-03T17:30:00+05:30", BERLIN), noon)
        self.assertEqual(parse_time("2026-10-03t12:00:00.1234567z", BERLIN), noon + 123_456)

    def test_leap_second_is_the_last_microsecond_before(self):
        self.assertEqual(parse_time("2016-12-31T23:59:60Z", UTC), utc(2017, 1, 1) - 1)

    def test_a_time_shown_twice_is_the_earlier_one_and_one_in_a_gap_is_none(self):
        self.assertEqual(parse_time("2026-10-25 02:30:00", BERLIN), utc(2026, 10, 25, 0, 30))
        self.assertIsNone(parse_time("2026-03-29 02:30:00", BERLIN))

    def test_what_is_no_time(self):
        for text in (
            "2026-10-03",
            "2026-10-03T12:00:00",
            "2026-10-03 12:00:00.5",
            "2026-02-30 00:00:00",
            "2026-10-03 24:00:00",
            "2026-10-03T12:00:00+24:00",
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "1791050405",
        ):
            self.assertIsNone(parse_time(text, UTC), text)


class Days(unittest.TestCase):
    def test_a_day_starts_at_its_midnight(self):
        self.assertEqual(day_start(date(2026, 10, 1), BERLIN), utc(2026, 9, 30, 22))
        self.assertEqual(month_of(utc(2026, 9, 30, 22), BERLIN), (2026, 10))
        self.assertEqual(month_of(utc(2026, 9, 30, 22) - 1, BERLIN), (2026, 9))

    def test_where_midnight_is_left_out_the_day_starts_behind_the_gap(self):
        asuncion = zone_of("America/Asuncion")
        self.assertEqual(day_start(date(2017, 10, 1), asuncion), utc(2017, 10, 1, 4))
        self.assertEqual(month_of(utc(2017, 10, 1, 4) - 1, asuncion), (2017, 9))

    def test_a_day_that_was_left_out_holds_nothing(self):
        apia = zone_of("Pacific/Apia")
        self.assertEqual(day_start(date(2011, 12, 30), apia), day_start(date(2011, 12, 31), apia))
        self.assertEqual(day_of(utc(2011, 12, 30, 10), apia), date(2011, 12, 31))
        self.assertEqual(day_of(utc(2011, 12, 30, 10) - 1, apia), date(2011, 12, 29))

    def test_a_day_goes_on_where_the_clock_runs_back_over_midnight(self):
        st_johns = zone_of("America/St_Johns")
        # At 00:01 on 2010-11-07 the clock showed 23:01 of the day before.
        self.assertEqual(day_of(utc(2010, 11, 7, 2, 45), st_johns), date(2010, 11, 7))


class Units(unittest.TestCase):
    def test_amounts_are_exact(self):
        for text, amount in (
            ("12.5", "12.5"),
            ("-0.0", "0"),
            ("1250e-2", "12.5"),
            ("1e19", "10000000000000000000"),
            ("1.0000000000000000000000", "1"),
            ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ):
            self.assertEqual(parse_units(text), Decimal(amount), text)

    def test_what_is_no_amount(self):
        for text, reason in (
            ("12,5", "invalid_units"),
            ("", "invalid_units"),
            ("+1", "invalid_units"),
            ("01", "invalid_units"),
            ("1.", "invalid_units"),
            (" 1", "invalid_units"),
            ("1e20", "units_too_large"),
            ("1e-19", "units_too_precise"),
            ("1e999999999999999999999", "units_too_large"),
        ):
            with self.assertRaises(UnitsFault) as caught:
                parse_units(text)
            self.assertEqual(caught.exception.args, (reason,), text)

    def test_the_shown_form(self):
        for amount, text in (
            ("0", "0.0"),
            ("12", "12.0"),
            ("12.500", "12.5"),
            ("1E+3", "1000.0"),
            ("1E-18", "0.000000000000000001"),
            ("-0.5", "-0.5"),
            ("-0.0", "0.0"),
        ):
            self.assertEqual(show_units(Decimal(amount)), text)


if __name__ == "__main__":
    unittest.main()
