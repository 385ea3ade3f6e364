"""JSON objects and their members, as text: numbers stay what they are, a name given twice is noticed."""

import json


class Reject(Exception):
    """A record is not usable: the reason, and which of its events is at fault, -1 for the record as a whole."""

    def __init__(self, reason, index=-1):
        super().__init__(reason)
        self.reason, self.index = reason, index


class Number(str):
    """The text of a JSON number."""


class Object:
    """A JSON object: pairs of names and values, whose names are only judged when it is looked into."""

    def __init__(self, pairs):
        self.pairs = pairs

    def members(self):
        members = dict(self.pairs)
        if len(members) < len(self.pairs):
            raise Reject("duplicate_member")
        return members


def no_constant(name):
    raise ValueError(f"{name} is no JSON")


def read_object(text):
    """The members of a JSON text that must be one object."""
    try:
        value = json.loads(
            text, object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=no_constant
        )
    except ValueError:
        raise Reject("invalid_json") from None
    return as_members(value)


def as_members(value):
    """The members of a value, which may have been looked into already."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Object):
        raise Reject("not_an_object")
    return value.members()


def required(members, name):
    if name not in members:
        raise Reject("missing_member")
    return members[name]


def as_text(value):
    if not isinstance(value, str) or isinstance(value, Number):
        raise Reject("invalid_type")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # one half of a surrogate pair
        raise Reject("invalid_json") from None
    return value


def name_of(members, name, reason):
    text = as_text(required(members, name))
    if not 1 <= byte_length(text) <= 128 or has_control(text):
        raise Reject(reason)
    return text


def optional_text(members, name, least, most, reason):
    if members.get(name) is None:
        return None
    text = as_text(members[name])
    if least is not None and not least <= byte_length(text) <= most:
        raise Reject(reason)
    return text


def byte_length(text):
    return len(text.encode("utf-8", "surrogatepass"))


def has_control(text):
    return any(ord(letter) < 0x20 or 0x7F <= ord(letter) <= 0x9F for letter in text)
