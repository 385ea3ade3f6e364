//! CloudEvents 1.0 around usage events: JSON format (structured mode) and Kafka headers (binary mode).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::identity::{CLOUD_EVENT_ID_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::json::{self, Members};
use crate::name::Member;
use crate::reject::quote;
use crate::rules::has_control;
use crate::{Reason, Record, Reject};

const MEDIA_TYPE: &str = "application/cloudevents";
const SPEC_VERSION: &str = "1.0";

/// A record's value without its envelope.
pub(crate) struct Opened<'a> {
    /// What identifies the CloudEvent. None: the record is none.
    pub(crate) cloud_event: Option<CloudEventId<'a>>,
    /// Where the usage events are.
    pub(crate) data: Data<'a>,
}

/// What identifies a CloudEvent.
pub(crate) struct CloudEventId<'a> {
    pub(crate) source: Cow<'a, str>,
    pub(crate) id: Cow<'a, str>,
}

/// Where the usage events are.
pub(crate) enum Data<'a> {
    /// The record's value itself is the object.
    Value,
    /// Text of an object within it.
    Member(&'a str),
    /// Text that was encoded in it.
    Decoded(String),
}

/// Whether the record's content type says that its value is a CloudEvent in structured mode. Formats other than JSON
/// are refused before anything is read.
pub(crate) fn is_structured(record: &Record<'_>) -> Result<bool, Reject> {
    let Some(content_type) = record.content_type else { return Ok(false) };
    let media_type = media_type(content_type);
    match media_type.strip_prefix(MEDIA_TYPE) {
        None => Ok(false),
        Some("" | "+json") => Ok(true),
        Some(_) => Err(invalid(format!("the content type {} is not supported", quote(&media_type)))),
    }
}

/// Takes the usage events out of their envelope, if they are in one.
pub(crate) fn open<'a>(
    record: &Record<'a>,
    is_structured: bool,
    members: &Members<'a>,
) -> Result<Opened<'a>, Reject> {
    if !is_structured && record.cloud_event.specversion.is_some() {
        return open_binary(record);
    }
    if !is_structured && !members.has(Member::SpecVersion) {
        return Ok(Opened { cloud_event: None, data: Data::Value });
    }
    let attribute = |member: Member| {
        members.get_text(member).map_err(|reject| invalid(reject.detail)).and_then(|text| given(member, text))
    };
    check_version(&attribute(Member::SpecVersion)?)?;
    let cloud_event = checked_id(attribute(Member::Source)?, attribute(Member::Id)?)?;
    attribute(Member::Type)?;
    if members.get(Member::DataContentType).is_some() {
        check_json(attribute(Member::DataContentType)?.as_bytes())?;
    }
    Ok(Opened { cloud_event: Some(cloud_event), data: structured_data(members)? })
}

fn open_binary<'a>(record: &Record<'a>) -> Result<Opened<'a>, Reject> {
    let headers = record.cloud_event;
    let attribute = |member: Member, header: Option<&'a [u8]>| {
        let text = header.map(std::str::from_utf8).transpose();
        let text = text.map_err(|_| invalid(format!("the header ce_{} is not UTF-8", member.as_str())))?;
        given(member, text.map(Cow::Borrowed))
    };
    check_version(&attribute(Member::SpecVersion, headers.specversion)?)?;
    let cloud_event =
        checked_id(attribute(Member::Source, headers.source)?, attribute(Member::Id, headers.id)?)?;
    attribute(Member::Type, headers.event_type)?;
    if let Some(content_type) = record.content_type {
        check_json(content_type)?;
    }
    Ok(Opened { cloud_event: Some(cloud_event), data: Data::Value })
}

fn structured_data<'a>(members: &Members<'a>) -> Result<Data<'a>, Reject> {
    match (members.get(Member::Data), members.get(Member::DataBase64)) {
        (Some(data), None) if json::is_object(data) => Ok(Data::Member(data)),
        (Some(_), None) => Err(invalid("data must be an object")),
        (None, Some(raw)) => {
            let text = members.text(Member::DataBase64, raw).map_err(|reject| invalid(reject.detail))?;
            let bytes =
                STANDARD.decode(text.as_bytes()).map_err(|error| invalid(format!("data_base64: {error}")))?;
            let text = String::from_utf8(bytes).map_err(|_| invalid("data_base64 is not UTF-8 inside"))?;
            Ok(Data::Decoded(text))
        }
        (Some(_), Some(_)) => Err(invalid("data and data_base64 exclude each other")),
        (None, None) => Err(invalid("data is missing")),
    }
}

/// An attribute that must be there.
fn given(member: Member, text: Option<Cow<'_, str>>) -> Result<Cow<'_, str>, Reject> {
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(format!("the attribute {} is missing or empty", member.as_str())))
}

fn check_version(version: &str) -> Result<(), Reject> {
    if version == SPEC_VERSION {
        return Ok(());
    }
    Err(invalid(format!("the specversion {} is not {SPEC_VERSION}", quote(version))))
}

fn checked_id<'a>(source: Cow<'a, str>, id: Cow<'a, str>) -> Result<CloudEventId<'a>, Reject> {
    for (name, text, bytes_max) in
        [("source", &source, SOURCE_BYTES_MAX), ("id", &id, CLOUD_EVENT_ID_BYTES_MAX)]
    {
        if text.len() > bytes_max || has_control(text) {
            return Err(invalid(format!("{name} has more than {bytes_max} bytes or control characters")));
        }
    }
    Ok(CloudEventId { source, id })
}

fn check_json(content_type: &[u8]) -> Result<(), Reject> {
    let media_type = media_type(content_type);
    let is_json = matches!(&*media_type, "application/json" | "text/json")
        || (media_type.contains('/') && media_type.ends_with("+json"));
    if is_json {
        Ok(())
    } else {
        Err(invalid(format!("the data's content type {} is not JSON", quote(&media_type))))
    }
}

/// A content type without its parameters, in small letters.
fn media_type(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn invalid(detail: impl Into<String>) -> Reject {
    Reject::new(Reason::InvalidEnvelope, detail)
}
