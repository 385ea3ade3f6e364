"""Monthly history: which copy of an event counts, whose usage it is, and what its service is called."""

import csv

from members import Reject
from texts import EXACT, parse_time, show_units
from verdicts import judge
from zones import FIRST_DAY, LAST_DAY, day_of, first_day_from


def replay(records, rules):
    """All records in turn: the events that count, the number of copies, where the creations stand whose identity is taken
    by other content, and the place and the reason of each reject, these creations included."""
    copies, rejects = [], []
    for record in records:
        try:
            copies.extend(judge(record, rules))
        except Reject as reject:
            rejects.append(((record.topic, record.partition, record.offset, reject.index), reject.reason))
    live = [event for event in first_of_each(copies).values() if not event.is_deletion]
    conflicts = conflicting([copy for copy in copies if copy.is_creation])
    rejects.extend((place, "conflicting_duplicate") for place in conflicts)
    return live, len(copies), conflicts, sorted(rejects)


def first_of_each(copies):
    """The copy with the lowest rank, by subscription and identity."""
    firsts = {}
    for copy in copies:
        key = (copy.subscription, copy.identity)
        if key not in firsts or copy.rank < firsts[key].rank:
            firsts[key] = copy
    return firsts


def conflicting(creations):
    """Where the creations stand that state something else than the first one of their identity."""
    firsts = first_of_each(creations)
    others = (copy for copy in creations if copy.content != firsts[copy.subscription, copy.identity].content)
    return sorted(copy.place for copy in others)


def read_catalog(path):
    """The service of each option code, of a CSV file."""
    if path is None:
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        return {row["code"]: row["service"] for row in csv.DictReader(file)}


class Registry:
    """Whose usage a subscription's is on which days, by a CSV file."""

    def __init__(self, path, zone):
        self.zone = zone
        rows = {}
        if path is not None:
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    rows.setdefault(row["subscription"], []).append(row)
        self.days = {subscription: self.owned_days(rows) for subscription, rows in rows.items()}
        self.customers = {row["customer"] for rows in rows.values() for row in rows}

    def owned_days(self, rows):
        """First day, day after the last, and owner of each row. A day belongs to the row that holds its first instant,
        else to the first that begins in it."""
        owned, taken_to = [], FIRST_DAY
        for row in sorted(rows, key=lambda row: self.instant(row["start"]) or 0):
            start, expires = self.instant(row["start"]), self.instant(row["expires"])
            first = FIRST_DAY if start is None else day_of(start, self.zone)
            if first < taken_to:
                first = first_day_from(start, self.zone)
            end = LAST_DAY if expires is None else first_day_from(expires, self.zone)
            owned.append((first, end, row["customer"]))
            taken_to = max(taken_to, end)
        return owned

    def instant(self, text):
        return parse_time(text, self.zone) if text else None

    def owner(self, subscription, day):
        """The customer of an unnamed usage, or None."""
        days = self.days.get(subscription, [])
        return next((customer for first, end, customer in days if first <= day < end), None)


def histories(events, catalog, registry, zone):
    """The complete history of every customer, in the shape of the HTTP answer."""
    sums, customers = {}, {event.customer for event in events if event.customer} | registry.customers
    for event in events:
        customer = event.customer or registry.owner(event.subscription, day_of(event.billed_at, zone))
        if customer is None:
            continue
        service = catalog.get(event.option_code, event.option_code)
        months = sums.setdefault(customer, {})
        month = months.setdefault(event.month, {})
        month[service] = EXACT.add(month.get(service, 0), event.units)
    return {customer: history(sums.get(customer, {})) for customer in sorted(customers)}


def history(sums):
    """One customer's months: all from the first to the last with usage, each with all services ever used."""
    services = sorted({service for month in sums.values() for service in month}, key=lambda name: name.encode())
    months = []
    if sums:
        month, last = min(sums), max(sums)
        while month <= last:
            used = sums.get(month, {})
            data = [{"service": name, "usage": show_units(used.get(name, 0))} for name in services]
            months.append({"period": f"{month[1]:02}.{month[0]:04}", "data": data})
            month = (month[0], month[1] + 1) if month[1] < 12 else (month[0] + 1, 1)
    return {"service_usage_history": months}
