"""CloudEvents 1.0 around usage events, by header (binary mode) or by member (structured mode)."""

import base64
import binascii

from members import Number, Object, Reject, byte_length, has_control, read_object


def media_type(value):
    return value.decode("utf-8", "replace").split(";")[0].strip().lower()


def open_binary(record, content_type):
    """Source and id of a CloudEvent whose attributes are headers."""
    try:
        attributes = {
            name[3:]: value.decode("utf-8") for name, value in record.headers.items() if name.startswith("ce_")
        }
    except UnicodeDecodeError:
        raise Reject("invalid_envelope") from None
    if "content-type" in record.headers:
        check_content_type(content_type)
    return checked_attributes(attributes)


def open_structured(members):
    """Source and id of a CloudEvent around its data, and the data's members."""
    envelope = checked_attributes(members)
    if members.get("datacontenttype") is not None:
        if not isinstance(members["datacontenttype"], str):
            raise Reject("invalid_envelope")
        check_content_type(media_type(members["datacontenttype"].encode()))
    data, encoded = members.get("data"), members.get("data_base64")
    if (data is None) == (encoded is None):
        raise Reject("invalid_envelope")
    if data is not None:
        if not isinstance(data, Object):
            raise Reject("invalid_envelope")
        return envelope, data.members()
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
        return envelope, read_object(text)
    except (TypeError, binascii.Error, UnicodeDecodeError):
        raise Reject("invalid_envelope") from None
    except Reject as reject:
        raise reject if reject.reason == "duplicate_member" else Reject("invalid_envelope") from None


def checked_attributes(attributes):
    for name in ("specversion", "source", "id", "type"):
        value = attributes.get(name)
        if not isinstance(value, str) or isinstance(value, Number) or not value:
            raise Reject("invalid_envelope")
    if attributes["specversion"] != "1.0":
        raise Reject("invalid_envelope")
    for name, limit in (("source", 512), ("id", 256)):
        if byte_length(attributes[name]) > limit or has_control(attributes[name]):
            raise Reject("invalid_envelope")
    return attributes["source"], attributes["id"]


def check_content_type(content_type):
    is_plain = content_type in ("application/json", "text/json")
    if not is_plain and not ("/" in content_type and content_type.endswith("+json")):
        raise Reject("invalid_envelope")
