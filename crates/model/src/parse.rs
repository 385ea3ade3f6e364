//! From the bytes of a record to its events.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::RangeInclusive;

use smallvec::SmallVec;

use crate::envelope::{self, CloudEventId, Data};
use crate::event::REVISION_MAX;
use crate::identity::EVENT_ID_BYTES_MAX;
use crate::json::{self, Members};
use crate::name::Member;
use crate::reject::quote;
use crate::rules::has_control;
use crate::{Change, Event, Identity, Reason, Record, Reject, Rules, Units, UnitsError, parse_instant};

/// The events of one record, nearly always one.
pub type Events<'a> = SmallVec<[Event<'a>; 1]>;

/// Events that a record may have.
const USAGES_MAX: usize = 1000;
const NAME_BYTES: RangeInclusive<usize> = 1..=128;
const DESCRIPTION_BYTES: RangeInclusive<usize> = 0..=1024;

/// Reads and judges a record. All of its events are usable, or the record is rejected as a whole.
///
/// The verdict follows from the record and the rules alone. What is wrong first in a fixed order (the record, its
/// envelope, its events one after the other, each member by member) is what the reject names.
///
/// # Errors
/// The record is not usable. There is no input for which this panics.
pub fn parse<'a>(record: &Record<'a>, rules: &Rules) -> Result<Events<'a>, Reject> {
    let value = record.value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| Reject::new(Reason::EmptyRecord, "the record has no value"))?;
    if value.len() > rules.max_record_bytes {
        let detail = format!("the value has {} bytes, allowed are {}", value.len(), rules.max_record_bytes);
        return Err(Reject::new(Reason::TooLarge, detail));
    }
    let is_structured = envelope::is_structured(record)?;
    let text =
        std::str::from_utf8(value).map_err(|error| Reject::new(Reason::InvalidUtf8, error.to_string()))?;
    let mut members = Members::NONE;
    members.read(text)?;
    let opened = envelope::open(record, is_structured, &members)?;
    let source = Source { record, cloud_event: opened.cloud_event.as_ref(), rules };
    match opened.data {
        Data::Value => source.events(&members),
        Data::Member(data) => {
            let mut members = Members::NONE;
            members.read(data)?;
            source.events(&members)
        }
        Data::Decoded(data) => {
            // The events cannot borrow from text that ends with this call.
            let source = Source { record, cloud_event: opened.cloud_event.as_ref(), rules };
            let mut members = Members::NONE;
            members.read(&data).map_err(|reject| match reject.reason {
                Reason::DuplicateMember => reject,
                _ => Reject::new(Reason::InvalidEnvelope, format!("data_base64: {}", reject.detail)),
            })?;
            let events = source.events(&members)?;
            Ok(events.into_iter().map(|event| -> Event<'a> { event.into_owned() }).collect())
        }
    }
}

/// What the events of a record have in common.
struct Source<'s, 'a> {
    record: &'s Record<'a>,
    cloud_event: Option<&'s CloudEventId<'a>>,
    rules: &'s Rules,
}

impl<'a> Source<'_, 'a> {
    /// The events of an object that is one, or holds several.
    fn events(&self, members: &Members<'a>) -> Result<Events<'a>, Reject> {
        let mut events = Events::new();
        let Some(raw) = members.get(Member::Usages) else {
            self.event(members, 0, &mut events).map_err(|reject| reject.at(0))?;
            return Ok(events);
        };
        if !raw.starts_with('[') {
            return Err(json::wrong_type(Member::Usages, "an array", raw));
        }
        let (elements, more) = json::split_array(raw, USAGES_MAX)?;
        if more {
            return Err(Reject::new(Reason::TooLarge, format!("Usages has more than {USAGES_MAX} events")));
        }
        if elements.is_empty() {
            return Err(Reject::new(Reason::MissingMember, "Usages is empty"));
        }
        for (element, index) in elements.into_iter().zip(0..) {
            let mut members = Members::NONE;
            let event = members.read(element).and_then(|()| self.event(&members, index, &mut events));
            event.map_err(|reject| reject.at(index))?;
        }
        check_distinct(&events)?;
        Ok(events)
    }

    /// Reads an event, to the end of a list: it is long, and to hand it back would take as long as to read a member.
    fn event(&self, members: &Members<'a>, index: u16, events: &mut Events<'a>) -> Result<(), Reject> {
        let change = change(members)?;
        let subscription =
            required_name(members, Member::SubscriptionReference, Reason::InvalidSubscription)?;
        let option_code = required_name(members, Member::OptionCode, Reason::InvalidOptionCode)?;
        let customer = optional_text(members, Member::Customer, NAME_BYTES, Reason::InvalidCustomer)?;
        let start = self.instant(members, Member::UsageStart)?;
        let end = self.instant(members, Member::UsageEnd)?;
        if start > end {
            return Err(Reject::new(Reason::StartAfterEnd, "UsageStart is later than UsageEnd"));
        }
        let units = units(members)?;
        let identity = self.identity(members, change, index)?;
        let description =
            optional_text(members, Member::Description, DESCRIPTION_BYTES, Reason::InvalidDescription)?;
        let renewal_order_reference = renewal_order_reference(members)?;
        let billed_at = if start < end { end - 1 } else { end };
        events.push(Event {
            subscription,
            option_code,
            customer: customer.unwrap_or_default(),
            description: description.unwrap_or_default(),
            identity,
            index,
            start,
            end,
            billed_at,
            billing_day: self.rules.zone.day_of(billed_at),
            units,
            renewal_order_reference,
            change,
            origin: members.get(Member::Origin).map(Cow::Borrowed),
        });
        events.last().map_or(Ok(()), |event| self.rules.check(event, self.record.timestamp_ms))
    }

    #[inline]
    fn instant(&self, members: &Members<'_>, member: Member) -> Result<i64, Reject> {
        let text = members.require_text(member)?;
        parse_instant(&text, &self.rules.zone).map_err(|error| {
            Reject::new(Reason::InvalidTime, format!("{}: {error}: {}", member.as_str(), quote(&text)))
        })
    }

    /// What identifies the event: for a change what it names, else the first of envelope, `EventId` and coordinates.
    fn identity(&self, members: &Members<'a>, change: Change, index: u16) -> Result<Identity<'a>, Reject> {
        // An envelope takes the place of `EventId`, whatever that is.
        let event_id = match self.cloud_event {
            None => optional_text(members, Member::EventId, 1..=EVENT_ID_BYTES_MAX, Reason::InvalidEventId)?,
            Some(_) => None,
        };
        if let Some(text) = members.get_text(Member::Identity)? {
            return named_identity(text);
        }
        match (self.cloud_event, event_id, change) {
            (Some(CloudEventId { source, id }), _, Change::Create) => {
                Ok(Identity::CloudEvent { source: source.clone(), id: id.clone(), index })
            }
            // The envelope of a change is another one than that of the event that it changes.
            (Some(_), ..) => {
                Err(Reject::new(Reason::MissingMember, "Identity is missing in a change inside a CloudEvent"))
            }
            (None, Some(id), _) => Ok(Identity::EventId(id)),
            (None, None, Change::Create) => Ok(Identity::Coordinates {
                topic: Cow::Borrowed(self.record.topic),
                partition: self.record.partition,
                offset: self.record.offset,
                timestamp_ms: self.record.timestamp_ms.unwrap_or(-1),
                index,
            }),
            (None, None, _) => {
                Err(Reject::new(Reason::MissingMember, "a change has neither EventId nor Identity"))
            }
        }
    }
}

/// `Action` with its `Revision`. A creation has neither, nor an `Identity`.
fn change(members: &Members<'_>) -> Result<Change, Reject> {
    let invalid = |detail: String| Reject::new(Reason::InvalidAction, detail);
    let Some(action) = members.get_text(Member::Action)? else {
        return match [Member::Revision, Member::Identity]
            .into_iter()
            .find(|member| members.get(*member).is_some())
        {
            Some(member) => Err(invalid(format!("{} is given without Action", member.as_str()))),
            None => Ok(Change::Create),
        };
    };
    let change = match &*action {
        "amend" => Change::Amend,
        "delete" => Change::Delete,
        _ => return Err(invalid(format!("Action {} is neither amend nor delete", quote(&action)))),
    };
    let raw = members.require(Member::Revision)?;
    if !json::is_number(raw) {
        return Err(json::wrong_type(Member::Revision, "a number", raw));
    }
    let revision = whole_number(raw).filter(|revision| (1..=i128::from(REVISION_MAX)).contains(revision));
    let revision = revision.and_then(|revision| u32::try_from(revision).ok());
    revision.map(change).ok_or_else(|| invalid(format!("Revision {} is not 1 to {REVISION_MAX}", quote(raw))))
}

fn named_identity(text: Cow<'_, str>) -> Result<Identity<'_>, Reject> {
    let identity = match &text {
        Cow::Borrowed(text) => Identity::parse(text),
        Cow::Owned(text) => Identity::parse(text).map(Identity::into_owned),
    };
    identity.ok_or_else(|| {
        Reject::new(Reason::InvalidEventId, format!("Identity {} is not the text of one", quote(&text)))
    })
}

#[inline]
fn units(members: &Members<'_>) -> Result<Units, Reject> {
    let raw = members.require(Member::Units)?;
    let text = if json::is_number(raw) {
        Cow::Borrowed(raw)
    } else if raw.starts_with('"') {
        members.text(Member::Units, raw)?
    } else {
        return Err(json::wrong_type(Member::Units, "a number or a string", raw));
    };
    Units::parse(&text).map_err(|error| {
        let reason = match error {
            UnitsError::Invalid => Reason::InvalidUnits,
            UnitsError::TooLarge => Reason::UnitsTooLarge,
            UnitsError::TooPrecise => Reason::UnitsTooPrecise,
        };
        Reject::new(reason, format!("Units: {error}: {}", quote(&text)))
    })
}

fn renewal_order_reference(members: &Members<'_>) -> Result<Option<u64>, Reject> {
    let Some(raw) = members.get(Member::RenewalOrderReference) else { return Ok(None) };
    let number = if json::is_number(raw) { whole_number(raw) } else { None };
    let number = number.filter(|number| (1..=i128::from(i64::MAX)).contains(number));
    match number.and_then(|number| u64::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => {
            let detail =
                format!("RenewalOrderReference must be an integer from 1 to 2^63-1, is {}", quote(raw));
            Err(Reject::new(Reason::InvalidType, detail))
        }
    }
}

/// The value of a JSON number, if it is whole: `5`, and also `5.0`.
fn whole_number(raw: &str) -> Option<i128> {
    raw.parse().ok().or_else(|| Units::parse(raw).ok()?.whole())
}

#[inline]
fn required_name<'a>(members: &Members<'a>, member: Member, reason: Reason) -> Result<Cow<'a, str>, Reject> {
    let text = members.require_text(member)?;
    check_length(member, &text, NAME_BYTES, reason)?;
    if has_control(&text) {
        return Err(Reject::new(
            reason,
            format!("{} has control characters: {}", member.as_str(), quote(&text)),
        ));
    }
    Ok(text)
}

#[inline]
fn optional_text<'a>(
    members: &Members<'a>,
    member: Member,
    bytes: RangeInclusive<usize>,
    reason: Reason,
) -> Result<Option<Cow<'a, str>>, Reject> {
    let text = members.get_text(member)?;
    if let Some(text) = &text {
        check_length(member, text, bytes, reason)?;
    }
    Ok(text)
}

fn check_length(
    member: Member,
    text: &str,
    bytes: RangeInclusive<usize>,
    reason: Reason,
) -> Result<(), Reject> {
    if bytes.contains(&text.len()) {
        return Ok(());
    }
    let (name, least, most) = (member.as_str(), bytes.start(), bytes.end());
    Err(Reject::new(reason, format!("{name} has {} bytes, allowed are {least} to {most}", text.len())))
}

fn check_distinct(events: &[Event<'_>]) -> Result<(), Reject> {
    let mut seen = HashSet::with_capacity(events.len());
    match events.iter().find(|event| !seen.insert((&event.subscription, &event.identity))) {
        None => Ok(()),
        Some(event) => {
            let detail =
                format!("the identity {} occurs twice in the record", quote(&event.identity.to_string()));
            Err(Reject::new(Reason::ConflictingDuplicate, detail).at(event.index))
        }
    }
}
