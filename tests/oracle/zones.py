"""Local calendars: which instant a local time is, and which day and month hold an instant.

Instants are whole microseconds since 1970-01-01T00:00:00Z. The rules of the zones are the system's, by zoneinfo.
"""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ONE_DAY = timedelta(days=1)


def micros(moment):
    """The instant of an aware datetime."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(instant, zone):
    """An instant on the clock of a zone."""
    return (EPOCH + timedelta(microseconds=instant)).astimezone(zone)


def resolve(local, zone):
    """The instant at which a zone's clock shows a naive datetime, the earlier of two. None: it never does."""
    instant = micros(local.replace(tzinfo=zone, fold=0))
    shown = moment(instant, zone).replace(tzinfo=None)
    return instant if shown == local else None


@lru_cache(maxsize=None)
def day_start(day, zone):
    """The first instant of a date: that of its 00:00, or the end of the gap that 00:00 fell into."""
    midnight = datetime(day.year, day.month, day.day)
    instant = resolve(midnight, zone)
    if instant is not None:
        return instant
    # The two readings of a time in a gap lie on its two sides; the clock changes in between, on a whole second.
    before, after = (micros(midnight.replace(tzinfo=zone, fold=fold)) // SECOND for fold in (1, 0))
    offset = moment(before * SECOND, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if moment(middle * SECOND, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after * SECOND


def day_of(instant, zone):
    """The billing day that holds an instant: the last one that has started."""
    shown = moment(instant, zone).date()
    # Where the clock is put back over midnight it shows the old date again, but the new day has begun.
    candidates = (shown + ONE_DAY, shown, shown - ONE_DAY)
    return next(day for day in candidates if day_start(day, zone) <= instant)


def month_of(instant, zone):
    """Year and month of the billing month that holds an instant."""
    day = day_of(instant, zone)
    return day.year, day.month


def zone_of(name):
    """The zone of an IANA name."""
    return ZoneInfo(name)


def first_day_from(instant, zone):
    """The first day that starts at an instant or later."""
    day = day_of(instant, zone)
    return day if day_start(day, zone) >= instant else day + ONE_DAY


FIRST_DAY, LAST_DAY = date(1969, 12, 1), date(2200, 1, 31)
