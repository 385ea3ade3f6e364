//! JSON objects as the raw text of their members: nothing is decoded before it is needed, numbers never become floats,
//! nesting costs no stack, and a member that is given twice is noticed.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use smallvec::SmallVec;

use crate::name::Member;
use crate::reject::quote;
use crate::{Reason, Reject, scan};

/// The members of one object.
///
/// It is large, so it is filled where it is and not handed around.
pub(crate) struct Members<'a> {
    /// JSON text of each member that has a meaning.
    known: [Option<&'a str>; Member::COUNT],
    /// No string in the object has an escape.
    is_plain: bool,
}

impl<'a> Members<'a> {
    /// Of an object without members.
    pub(crate) const NONE: Self = Self { known: [None; Member::COUNT], is_plain: true };

    /// Reads a JSON text that must be one object. This must have no members yet.
    pub(crate) fn read(&mut self, text: &'a str) -> Result<(), Reject> {
        let start = scan::skip_space(text.as_bytes(), 0);
        if !text[start..].starts_with('{') {
            let end = scan::skip_value(text.as_bytes(), start);
            check_end(text, end)?;
            return Err(Reject::new(Reason::NotAnObject, "the value is JSON but no object"));
        }
        // Without a way out in between, so that many bytes are looked at together.
        self.is_plain = text.bytes().fold(true, |plain, byte| plain & (byte != b'\\'));
        let is_plain = self.is_plain;
        // Names of members without a meaning, and the first duplicate of one with a meaning.
        let mut others: SmallVec<[Cow<'a, str>; 4]> = SmallVec::new();
        let mut duplicate = None;
        let mut broken_name = Ok(());
        let end = scan::walk_object(text, start, |name, value| match unescape(name, is_plain) {
            Ok(name) => match Member::from_name(&name) {
                None => others.push(name),
                Some(member) => match &mut self.known[member as usize] {
                    first @ None => *first = Some(value),
                    Some(_) => duplicate = duplicate.or(Some(member)),
                },
            },
            Err(reject) => broken_name = Err(reject),
        });
        check_end(text, end)?;
        broken_name?;
        match duplicate.map(Member::as_str).or_else(|| find_duplicate(&mut others)) {
            Some(name) => Err(Reject::new(
                Reason::DuplicateMember,
                format!("the member {} is given twice", quote(name)),
            )),
            None => Ok(()),
        }
    }

    /// The JSON text of a member. None: it is missing, or null.
    #[inline]
    pub(crate) fn get(&self, member: Member) -> Option<&'a str> {
        self.known[member as usize].filter(|raw| *raw != "null")
    }

    /// Whether a member is there, be it null.
    pub(crate) fn has(&self, member: Member) -> bool {
        self.known[member as usize].is_some()
    }

    /// The JSON text of a member that must be there. One that is null counts, and has a wrong type.
    #[inline]
    pub(crate) fn require(&self, member: Member) -> Result<&'a str, Reject> {
        self.known[member as usize]
            .ok_or_else(|| Reject::new(Reason::MissingMember, format!("{} is missing", member.as_str())))
    }

    /// The text of an optional member that must be a string.
    #[inline]
    pub(crate) fn get_text(&self, member: Member) -> Result<Option<Cow<'a, str>>, Reject> {
        self.get(member).map(|raw| self.text(member, raw)).transpose()
    }

    /// The text of a member that must be there and be a string.
    #[inline]
    pub(crate) fn require_text(&self, member: Member) -> Result<Cow<'a, str>, Reject> {
        self.text(member, self.require(member)?)
    }

    /// The text of a member that is there with this JSON text, and must be a string.
    #[inline]
    pub(crate) fn text(&self, member: Member, raw: &'a str) -> Result<Cow<'a, str>, Reject> {
        let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Err(wrong_type(member, "a string", raw));
        };
        unescape(inner, self.is_plain)
    }
}

/// What a JSON string stands for, from what is between its quotes. All that can be wrong with it is one half of a
/// surrogate pair. A plain text has no escapes at all.
#[inline]
fn unescape(inner: &str, is_plain: bool) -> Result<Cow<'_, str>, Reject> {
    if is_plain || !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let text = serde_json::from_str(&format!("\"{inner}\""));
    text.map(Cow::Owned)
        .map_err(|error| Reject::new(Reason::InvalidJson, format!("{error}: {}", quote(inner))))
}

/// Makes sure that a value was found and nothing follows it.
#[inline]
fn check_end(text: &str, end: Option<usize>) -> Result<(), Reject> {
    match end {
        Some(end) if scan::skip_space(text.as_bytes(), end) == text.len() => Ok(()),
        _ => Err(not_json(text)),
    }
}

#[cold]
fn not_json(text: &str) -> Reject {
    // A parser that knows lines and columns says what is wrong.
    let error = serde_json::from_str::<IgnoredAny>(text).err();
    Reject::new(Reason::InvalidJson, error.map_or_else(|| "not JSON".to_owned(), |error| error.to_string()))
}

/// A name that occurs twice. Sorts, because there may be as many as fit into a record.
fn find_duplicate<'n>(names: &'n mut [Cow<'_, str>]) -> Option<&'n str> {
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &*pair[0])
}

/// Whether the text of a JSON value is a number's.
pub(crate) fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Whether the text of a JSON value is an object's.
pub(crate) fn is_object(raw: &str) -> bool {
    raw.starts_with('{')
}

/// The texts of an array's values: so many at most, and whether there are more.
pub(crate) fn split_array(raw: &str, count_max: usize) -> Result<(Vec<&str>, bool), Reject> {
    let mut elements = Vec::new();
    let mut more = false;
    let end = scan::walk_array(raw, 0, |element| {
        more = elements.len() == count_max;
        if !more {
            elements.push(element);
        }
    });
    check_end(raw, end)?;
    Ok((elements, more))
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
