//! JSON objects as the raw text of their members: nothing is decoded before it is needed, numbers never become floats,
//! nesting costs no stack, and a member that is given twice is noticed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::name::Member;
use crate::reject::quote;
use crate::{Reason, Reject};

/// The members of one object.
pub(crate) struct Members<'a> {
    /// JSON text of each member that has a meaning.
    known: [Option<&'a str>; Member::COUNT],
}

impl<'a> Members<'a> {
    /// Reads a JSON text that must be one object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Reject> {
        if !text.trim_ascii_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).map_err(invalid_json)?;
            return Err(Reject::new(Reason::NotAnObject, "the value is JSON but no object"));
        }
        let mut walk = Walk { known: [None; Member::COUNT], others: SmallVec::new(), duplicate: None };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_map(&mut walk).and_then(|()| deserializer.end()).map_err(invalid_json)?;
        match walk.duplicate() {
            Some(name) => Err(Reject::new(
                Reason::DuplicateMember,
                format!("the member {} is given twice", quote(&name)),
            )),
            None => Ok(Self { known: walk.known }),
        }
    }

    /// The JSON text of a member. None: it is missing, or null.
    pub(crate) fn get(&self, member: Member) -> Option<&'a str> {
        self.known[member as usize].filter(|raw| *raw != "null")
    }

    /// Whether a member is there, be it null.
    pub(crate) fn has(&self, member: Member) -> bool {
        self.known[member as usize].is_some()
    }

    /// The JSON text of a member that must be there. One that is null counts, and has a wrong type.
    pub(crate) fn require(&self, member: Member) -> Result<&'a str, Reject> {
        self.known[member as usize]
            .ok_or_else(|| Reject::new(Reason::MissingMember, format!("{} is missing", member.as_str())))
    }

    /// The text of an optional member that must be a string.
    pub(crate) fn get_text(&self, member: Member) -> Result<Option<Cow<'a, str>>, Reject> {
        self.get(member).map(|raw| decode_text(member, raw)).transpose()
    }

    /// The text of a member that must be there and be a string.
    pub(crate) fn require_text(&self, member: Member) -> Result<Cow<'a, str>, Reject> {
        decode_text(member, self.require(member)?)
    }
}

/// The text of a JSON string.
pub(crate) fn decode_text(member: Member, raw: &str) -> Result<Cow<'_, str>, Reject> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Err(wrong_type(member, "a string", raw));
    };
    if !inner.as_bytes().contains(&b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    // What is left to be wrong is an escaped half of a surrogate pair.
    serde_json::from_str(raw).map(Cow::Owned).map_err(|error| {
        Reject::new(Reason::InvalidJson, format!("{}: {error}: {}", member.as_str(), quote(raw)))
    })
}

/// Whether the text of a JSON value is a number's.
pub(crate) fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Whether the text of a JSON value is an object's.
pub(crate) fn is_object(raw: &str) -> bool {
    raw.starts_with('{')
}

/// The verdict on a member of another JSON type than it must have.
pub(crate) fn wrong_type(member: Member, expected: &str, raw: &str) -> Reject {
    let found = match raw.as_bytes() {
        [b'"', ..] => "a string",
        [b'{', ..] => "an object",
        [b'[', ..] => "an array",
        [b't' | b'f', ..] => "a boolean",
        [b'n', ..] => "null",
        _ => "a number",
    };
    Reject::new(Reason::InvalidType, format!("{} must be {expected}, is {found}", member.as_str()))
}

/// The texts of an array's values: so many at most, and whether there are more.
pub(crate) fn split_array(raw: &str, count_max: usize) -> Result<(Vec<&str>, bool), Reject> {
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    deserializer.deserialize_seq(Elements { count_max }).map_err(invalid_json)
}

fn invalid_json(error: serde_json::Error) -> Reject {
    Reject::new(Reason::InvalidJson, error.to_string())
}

/// What is gathered on the way through an object.
struct Walk<'a> {
    known: [Option<&'a str>; Member::COUNT],
    /// Names of members without a meaning.
    others: SmallVec<[Cow<'a, str>; 4]>,
    /// The first member with a meaning that was given twice.
    duplicate: Option<Member>,
}

impl Walk<'_> {
    /// The name of a member that was given twice.
    fn duplicate(&mut self) -> Option<Cow<'_, str>> {
        if let Some(member) = self.duplicate {
            return Some(member.as_str().into());
        }
        // Sorted, because there may be as many members as fit into a record.
        self.others.sort_unstable();
        self.others.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
    }
}

impl<'a> Visitor<'a> for &mut Walk<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let value: &'a RawValue = map.next_value()?;
            match name {
                Name::Known(member) => {
                    let first = &mut self.known[member as usize];
                    if first.is_none() {
                        *first = Some(value.get());
                    } else {
                        self.duplicate.get_or_insert(member);
                    }
                }
                Name::Other(name) => self.others.push(name),
            }
        }
        Ok(())
    }
}

/// A member's name, with its escapes resolved.
enum Name<'a> {
    Known(Member),
    Other(Cow<'a, str>),
}

struct NameSeed;

impl<'a> DeserializeSeed<'a> for NameSeed {
    type Value = Name<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Name<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for NameSeed {
    type Value = Name<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'a str) -> Result<Name<'a>, E> {
        Ok(Member::from_name(name).map_or(Name::Other(Cow::Borrowed(name)), Name::Known))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name<'a>, E> {
        Ok(Member::from_name(name).map_or_else(|| Name::Other(Cow::Owned(name.to_owned())), Name::Known))
    }
}

struct Elements {
    count_max: usize,
}

impl<'a> Visitor<'a> for Elements {
    type Value = (Vec<&'a str>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = array.next_element::<&'a RawValue>()? {
            if elements.len() == self.count_max {
                while array.next_element::<IgnoredAny>()?.is_some() {}
                return Ok((elements, true));
            }
            elements.push(value.get());
        }
        Ok((elements, false))
    }
}
