"""What a Kafka record means: its usage events, or the reason why it is not usable."""

import re
from dataclasses import dataclass
from typing import Any, Optional

from envelope import media_type, open_binary, open_structured
from members import Number, Object, Reject
from members import as_members, as_text, byte_length, name_of, optional_text, read_object, required
from texts import UnitsFault, parse_time, parse_units
from zones import SECOND, month_of

DAY = 86_400 * SECOND
MINIMUM_REVISION, MAXIMUM_REVISION = 1, 2**31 - 1


@dataclass
class Record:
    """A record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: Optional[bytes]
    headers: dict


@dataclass
class Rules:
    """The configurable part of a verdict."""

    zone: Any
    max_record_bytes: int = 1_048_576
    max_age_days: int = 1830
    max_future_seconds: int = 3600
    max_interval_days: int = 31
    allow_negative_units: bool = False


@dataclass
class Event:
    """A usage event, or a change of one."""

    subscription: str
    option_code: str
    customer: str
    identity: str
    month: tuple
    billed_at: int
    end: int
    units: Any
    is_creation: bool
    is_deletion: bool
    # Of the copies of an event the one with the lowest rank counts.
    rank: tuple
    # All that the event states: creations with another content are in conflict.
    content: tuple
    # Where it stands: topic, partition, offset, index in the record.
    place: tuple


def judge(record, rules):
    """The events of a record."""
    if not record.value:
        raise Reject("empty_record")
    if len(record.value) > rules.max_record_bytes:
        raise Reject("too_large")
    content_type = media_type(record.headers.get("content-type", b""))
    is_structured = content_type.startswith("application/cloudevents")
    if is_structured and content_type not in ("application/cloudevents", "application/cloudevents+json"):
        raise Reject("invalid_envelope")
    try:
        text = record.value.decode("utf-8")
    except UnicodeDecodeError:
        raise Reject("invalid_utf8") from None
    members = read_object(text)
    envelope = None
    if not is_structured and "ce_specversion" in record.headers:
        envelope = open_binary(record, content_type)
    elif is_structured or "specversion" in members:
        envelope, members = open_structured(members)
    return events_of(record, members, envelope, rules)


def events_of(record, members, envelope, rules):
    """All events of a record; one that is not usable makes all of them so."""
    usages = members.get("Usages")
    if usages is None:
        return [event_at(record, members, envelope, 0, rules)]
    if not isinstance(usages, list):
        raise Reject("invalid_type")
    if len(usages) > 1000:
        raise Reject("too_large")
    if not usages:
        raise Reject("missing_member")
    events = [event_at(record, usage, envelope, index, rules) for index, usage in enumerate(usages)]
    seen = set()
    for index, event in enumerate(events):
        if (event.subscription, event.identity) in seen:
            raise Reject("conflicting_duplicate", index)
        seen.add((event.subscription, event.identity))
    return events


def event_at(record, usage, envelope, index, rules):
    """One event of a record; a reject names it."""
    try:
        return event_of(record, as_members(usage), envelope, index, rules)
    except Reject as reject:
        raise Reject(reject.reason, index) from None


def event_of(record, members, envelope, index, rules):
    """One event; its members are judged in a fixed order."""
    action, revision = change_of(members)
    subscription = name_of(members, "SubscriptionReference", "invalid_subscription")
    option_code = name_of(members, "OptionCode", "invalid_option_code")
    customer = optional_text(members, "Customer", 1, 128, "invalid_customer") or ""
    start, end = (time_of(members, name, rules.zone) for name in ("UsageStart", "UsageEnd"))
    if start > end:
        raise Reject("start_after_end")
    units = units_of(members)
    identity = identity_of(record, members, envelope, action, index)
    description = optional_text(members, "Description", 0, 1024, "invalid_description") or ""
    renewal = renewal_reference(members)
    if action is None:
        check_age(record, start, end, rules)
    if units < 0 and not rules.allow_negative_units:
        raise Reject("negative_units")
    billed_at = end - 1 if start < end else end
    place = (record.partition, record.offset, index)
    if action is None:
        timestamp_ms = 0 if members.get("Origin") is not None else max(record.timestamp_ms, 0)
        rank = (1, timestamp_ms, *place)
    else:
        rank = (0, -revision, action != "delete", *place)
    return Event(
        subscription=subscription,
        option_code=option_code,
        customer=customer,
        identity=identity,
        month=month_of(billed_at, rules.zone),
        billed_at=billed_at,
        end=end,
        units=units,
        is_creation=action is None,
        is_deletion=action == "delete",
        rank=rank,
        content=(option_code, customer, start, end, units, description, renewal, request_of(members, index)),
        place=(record.topic, *place),
    )


def request_of(members, index):
    """The digest of the HTTP request that the first event of a record stands for."""
    origin = members.get("Origin")
    if index != 0 or not isinstance(origin, (dict, Object)):
        return None
    request = as_members(origin).get("Request")
    is_text = isinstance(request, str) and not isinstance(request, Number)
    return request if is_text and re.fullmatch("[0-9a-f]{64}", request) else None


def change_of(members):
    """Action and revision; a creation has neither, nor an Identity."""
    action = optional_text(members, "Action", None, None, None)
    if action is None:
        if members.get("Revision") is not None or members.get("Identity") is not None:
            raise Reject("invalid_action")
        return None, None
    if action not in ("amend", "delete"):
        raise Reject("invalid_action")
    revision = required(members, "Revision")
    if not isinstance(revision, Number):
        raise Reject("invalid_type")
    whole = whole_number(revision)
    if whole is None or not MINIMUM_REVISION <= whole <= MAXIMUM_REVISION:
        raise Reject("invalid_action")
    return action, whole


def time_of(members, name, zone):
    instant = parse_time(as_text(required(members, name)), zone)
    if instant is None:
        raise Reject("invalid_time")
    return instant


def units_of(members):
    value = required(members, "Units")
    try:
        return parse_units(value if isinstance(value, Number) else as_text(value))
    except UnitsFault as fault:
        raise Reject(*fault.args) from None


def identity_of(record, members, envelope, action, index):
    """What tells the event from others of its subscription, as the tagged text that the service keeps."""
    event_id = None
    if envelope is None:
        event_id = optional_text(members, "EventId", 1, 128, "invalid_event_id")
    named = optional_text(members, "Identity", None, None, None)
    if named is not None:
        if not is_identity(named.encode()):
            raise Reject("invalid_event_id")
        return named
    if envelope is not None:
        if action is not None:
            raise Reject("missing_member")
        source, name = envelope
        return f"c:{byte_length(source)}:{source},{byte_length(name)}:{name},{index}"
    if event_id is not None:
        return f"e:{byte_length(event_id)}:{event_id}"
    if action is not None:
        raise Reject("missing_member")
    coordinates = (record.partition, record.offset, record.timestamp_ms, index)
    return f"k:{byte_length(record.topic)}:{record.topic}," + ",".join(map(str, coordinates))


# How many texts with a length in front, and how many numbers behind them, an identity of each kind has.
IDENTITY_PARTS = {b"e": (1, 0), b"c": (2, 1), b"k": (1, 4)}


def is_identity(text):
    """Whether bytes are the tagged text of an identity: e:3:e-1, c:10:/my/source,4:id-1,0, k:1:t,0,7,1791050405000,0."""
    tag, _, rest = text.partition(b":")
    if tag not in IDENTITY_PARTS:
        return False
    texts, numbers = IDENTITY_PARTS[tag]
    for place in range(texts):
        length, _, rest = rest.removeprefix(b"," if place else b"").partition(b":")
        if not length.isdigit() or not 1 <= int(length) <= len(rest):
            return False
        rest = rest[int(length) :]
    return re.fullmatch(rb"(,-?[0-9]+){%d}" % numbers, rest) is not None


def renewal_reference(members):
    value = members.get("RenewalOrderReference")
    if value is None:
        return None
    whole = whole_number(value) if isinstance(value, Number) else None
    if whole is None or not 1 <= whole <= 2**63 - 1:
        raise Reject("invalid_type")
    return whole


def check_age(record, start, end, rules):
    """Length and age bind creations only."""
    recorded = record.timestamp_ms * 1000
    if end - start > rules.max_interval_days * DAY:
        raise Reject("interval_too_long")
    if end < recorded - rules.max_age_days * DAY:
        raise Reject("too_old")
    if end > recorded + rules.max_future_seconds * SECOND:
        raise Reject("in_future")


def whole_number(number):
    try:
        value = parse_units(number)
    except UnitsFault:
        return None
    return int(value) if value == value.to_integral_value() else None
