"""The texts of an event's members: times and units."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Context, Decimal

from zones import SECOND, micros, resolve

# Wide enough for every sum: nothing is ever rounded.
EXACT = Context(prec=400)

PLAIN = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
EARLIEST = 0
END = micros(datetime(2200, 1, 1, tzinfo=timezone.utc))


def parse_time(text, zone):
    """The instant of a time text. None: it is none, or not on the calendar, the clock, or in the years 1970 to 2199."""
    plain = PLAIN.fullmatch(text)
    match = plain or RFC_3339.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    is_leap = second == 60
    try:
        local = datetime(year, month, day, hour, minute, 59 if is_leap else second)
    except ValueError:
        return None
    instant = resolve(local, zone) if plain else with_offset(local, match)
    if instant is None:
        return None
    fraction = 0 if plain else int(((match.group(7) or "") + "000000")[:6])
    instant += SECOND - 1 if is_leap else fraction
    return instant if EARLIEST <= instant < END else None


def with_offset(local, match):
    """The instant of a local time with the offset that stands behind it."""
    sign, hours, minutes = match.groups()[7:]
    if sign is None:
        offset = timedelta()
    elif int(hours) > 23 or int(minutes) > 59:
        return None
    else:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return micros(local.replace(tzinfo=timezone.utc)) - offset // timedelta(microseconds=1)


class UnitsFault(Exception):
    """Why a text is not an amount; its argument is the reason of the reject."""


def parse_units(text):
    """The exact amount of a number's text: 20 digits before and 18 after the point at most."""
    match = NUMBER.fullmatch(text)
    if not match:
        raise UnitsFault("invalid_units")
    sign, whole, fraction, exponent = match.groups()
    digits = (whole + (fraction or "")).lstrip("0")
    exponent = int(exponent or 0) - len(fraction or "")
    exponent += len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    if not digits:
        return Decimal(0)
    if len(digits) + exponent > 20:
        raise UnitsFault("units_too_large")
    if exponent < -18:
        raise UnitsFault("units_too_precise")
    return Decimal((bool(sign), tuple(int(digit) for digit in digits), exponent))


def show_units(amount):
    """Plain decimal text with at least one digit on each side of the point and no zeros beyond."""
    if not amount:
        return "0.0"
    text = format(amount, "f")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
