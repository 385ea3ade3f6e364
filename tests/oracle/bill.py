"""The bill: what each month of a subscription's usage of a service costs."""

import csv
from decimal import ROUND_HALF_EVEN, Decimal

from texts import EXACT
from zones import day_of, moment, zone_of

UTC = zone_of("UTC")
# Digits of the smallest amount, of the currencies that tests use.
MINOR_DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


def read_prices(path):
    """Service, price and currency of each option code that is for sale, of a CSV file."""
    if path is None:
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("unit_price")]
    return {row["code"]: (row["service"], Decimal(row["unit_price"]), row["currency"]) for row in rows}


def bills(events, prices, registry, zone):
    """The items of every customer with any, each as (zone, currency, amount, type, occurred_at, description), sorted."""
    sums = {}
    for event in events:
        customer = event.customer or registry.owner(event.subscription, day_of(event.billed_at, zone))
        if customer is None or event.option_code not in prices:
            continue
        service, price, currency = prices[event.option_code]
        key = (event.subscription, service, currency, event.month)
        units, amount, latest = sums.setdefault(customer, {}).get(key, (Decimal(0), Decimal(0), 0))
        units = EXACT.add(units, event.units)
        amount = EXACT.add(amount, EXACT.multiply(event.units, price))
        sums[customer][key] = (units, amount, max(latest, event.end))
    return {
        customer: sorted(item(*key, *total) for key, total in items.items()) for customer, items in sums.items()
    }


def item(subscription, service, currency, month, units, amount, latest):
    smallest = Decimal(1).scaleb(-MINOR_DIGITS[currency])
    amount = amount.quantize(smallest, rounding=ROUND_HALF_EVEN, context=EXACT)
    if not amount:
        amount = abs(amount)
    kind = "credit" if amount < 0 else "charge"
    shown = format(units, "f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    description = f"{service}: {shown} units in {month[1]:02}.{month[0]:04}"
    return subscription, currency, format(amount, "f"), kind, rfc_3339(latest), description


def rfc_3339(instant):
    time = moment(instant, UTC)
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"
