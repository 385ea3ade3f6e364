//! Finding where JSON values end (RFC 8259), without decoding any.
//!
//! A general parser would look at an event twice: at its structure, then at the text of each member, because numbers
//! must not become floats. This one looks once and hands out the texts. Nesting costs no stack.
//!
//! All functions take a text and a place in it, and return the place behind what they went over; nothing where the
//! text is not JSON.

use smallvec::SmallVec;

/// Goes over an object and shows, of each member, what is between the quotes of its name and the text of its value.
#[inline]
pub(crate) fn walk_object<'a>(
    text: &'a str,
    at: usize,
    mut member: impl FnMut(&'a str, &'a str),
) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut more) = enter(bytes, at, b'{', b'}')?;
    while more {
        let name_end = skip_string(bytes, at)?;
        let name = text.get(at + 1..name_end - 1)?;
        let value = skip_colon(bytes, name_end)?;
        let value_end = skip_value(bytes, value)?;
        member(name, text.get(value..value_end)?);
        (at, more) = skip_comma(bytes, value_end, b'}')?;
    }
    Some(at)
}

/// Goes over an array and shows the text of each value.
pub(crate) fn walk_array<'a>(text: &'a str, at: usize, mut element: impl FnMut(&'a str)) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut more) = enter(bytes, at, b'[', b']')?;
    while more {
        let value_end = skip_value(bytes, at)?;
        element(text.get(at..value_end)?);
        (at, more) = skip_comma(bytes, value_end, b']')?;
    }
    Some(at)
}

/// Goes over one value, which begins exactly here.
#[inline]
pub(crate) fn skip_value(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'{' | b'[' => skip_nested(text, at),
        _ => skip_scalar(text, at),
    }
}

#[inline]
fn skip_scalar(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => skip_string(text, at),
        b'-' | b'0'..=b'9' => skip_number(text, at),
        b't' => skip_literal(text, at, b"true"),
        b'f' => skip_literal(text, at, b"false"),
        b'n' => skip_literal(text, at, b"null"),
        _ => None,
    }
}

#[inline]
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Goes into an object or array, up to its first entry if there is one, else over its end. Returns whether there is one.
#[inline]
fn enter(text: &[u8], at: usize, opener: u8, closer: u8) -> Option<(usize, bool)> {
    let at = skip_space(text, skip_byte(text, at, opener)?);
    Some(skip_byte(text, at, closer).map_or((at, true), |end| (end, false)))
}

/// Goes to the next entry, or over the end. Returns whether there is another entry.
#[inline]
fn skip_comma(text: &[u8], at: usize, closer: u8) -> Option<(usize, bool)> {
    let at = skip_space(text, at);
    match skip_byte(text, at, b',') {
        Some(next) => Some((skip_space(text, next), true)),
        None => Some((skip_byte(text, at, closer)?, false)),
    }
}

#[inline]
fn skip_colon(text: &[u8], at: usize) -> Option<usize> {
    let at = skip_byte(text, skip_space(text, at), b':')?;
    Some(skip_space(text, at))
}

#[inline]
fn skip_byte(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    (text.get(at) == Some(&byte)).then_some(at + 1)
}

/// Goes over an object or array, with a list of what is open in place of the stack.
fn skip_nested(text: &[u8], mut at: usize) -> Option<usize> {
    let mut closers: SmallVec<[u8; 32]> = SmallVec::new();
    loop {
        // Here a value begins.
        let (opener, closer) = match text.get(at)? {
            b'{' => (b'{', b'}'),
            b'[' => (b'[', b']'),
            _ => (0, 0),
        };
        let mut more = false;
        if opener == 0 {
            at = skip_scalar(text, at)?;
        } else {
            (at, more) = enter(text, at, opener, closer)?;
            if more {
                closers.push(closer);
            }
        }
        // Unless it has begun only, it ends here, and with it perhaps those around it.
        while !more {
            let Some(&closer) = closers.last() else { return Some(at) };
            (at, more) = skip_comma(text, at, closer)?;
            if !more {
                closers.pop();
            }
        }
        if closers.last() == Some(&b'}') {
            at = skip_colon(text, skip_string(text, at)?)?;
        }
    }
}

fn skip_literal(text: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    text[at..].starts_with(literal).then_some(at + literal.len())
}

fn skip_number(text: &[u8], at: usize) -> Option<usize> {
    let at = skip_byte(text, at, b'-').unwrap_or(at);
    let mut at = match skip_byte(text, at, b'0') {
        Some(at) => at,
        None => skip_digits(text, at)?,
    };
    if let Some(fraction) = skip_byte(text, at, b'.') {
        at = skip_digits(text, fraction)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = at + 1;
        at = skip_digits(text, sign + usize::from(matches!(text.get(sign), Some(b'+' | b'-'))))?;
    }
    Some(at)
}

fn skip_digits(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    (at > start).then_some(at)
}

#[inline]
fn skip_string(text: &[u8], at: usize) -> Option<usize> {
    let end = end_of_plain(text, skip_byte(text, at, b'"')?);
    if text.get(end) == Some(&b'"') { Some(end + 1) } else { skip_escaped(text, end) }
}

/// Goes to the end of a string, from where something comes that is not plain text.
#[cold]
fn skip_escaped(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text[at..] {
            [b'"', ..] => return Some(at + 1),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
            [b'\\', b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => at += 6,
            _ => return None,
        }
        at = end_of_plain(text, at);
    }
}

/// The first place, from one on, of a quote, a backslash or a control character; else the text's end.
///
/// Looks at eight bytes at once, by the known tricks on words: a byte of `x` is zero where the top bit of the same byte
/// of `(x - 0x01..) & !x` is set, and below 0x20 where that of `(x - 0x20..) & !x` is; the lowest one found is exact.
#[inline]
fn end_of_plain(text: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES * 0x80;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut rest = text.get(from..).unwrap_or_default();
    while let Some((bytes, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*bytes);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & TOPS;
        if found != 0 {
            return text.len() - rest.len() + (found.trailing_zeros() / 8) as usize;
        }
        rest = after;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    text.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests;
