//! Rejects as text for a person and as JSON for a machine.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_store::{ListedReject, RejectKey, RejectScope};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::time::rfc3339;

const BYTES_A_LINE: usize = 16;

/// Writes to the standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")?;
    Ok(())
}

/// The timestamp of a reject's record.
pub(super) fn record_time(reject: &ListedReject) -> String {
    reject.timestamp_ms().map_or_else(|| "none".to_owned(), rfc3339)
}

/// `3/12345`, or `3/12345[2]` where an event is at fault.
pub(super) fn place(key: &RejectKey) -> String {
    let index = if key.index < 0 { String::new() } else { format!("[{}]", key.index) };
    format!("{}/{}{index}", key.partition, key.offset)
}

/// What a replay came to, for the list.
pub(super) fn outcome(reject: &ListedReject) -> &str {
    if reject.outcome.is_empty() { "-" } else { &reject.outcome }
}

/// A text on one line, whatever is in it.
pub(super) fn on_one_line(text: &str, characters: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    match line.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// All that the list knows of a reject.
pub(super) fn listed_json(reject: &ListedReject) -> Value {
    let key = &reject.key;
    let scope = match key.scope {
        RejectScope::Record => "record",
        RejectScope::Event => "event",
    };
    json!({
        "topic": key.topic,
        "partition": key.partition,
        "offset": key.offset,
        "index": key.index,
        "scope": scope,
        "record_time": reject.timestamp_ms().map(rfc3339),
        "reason": reject.reason,
        "first_reason": reject.first_reason,
        "detail": reject.detail,
        "raw_length": reject.raw_length,
        "rejected_at": rfc3339(reject.rejected_at),
        "replayed_at": (reject.replayed_at != 0).then(|| rfc3339(reject.replayed_at)),
        "replay_outcome": reject.outcome,
    })
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as text where they are one that a terminal shows as it is, else as a dump in hex.
pub(super) fn readable(bytes: &[u8]) -> String {
    let is_shown = |character: char| !character.is_control() || character == '\n' || character == '\t';
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_shown) => text.to_owned(),
        _ => dump(bytes),
    }
}

fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, part) in bytes.chunks(BYTES_A_LINE).enumerate() {
        let numbers: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown: String = part.iter().map(|byte| shown(*byte)).collect();
        let width = BYTES_A_LINE * 3 - 1;
        // To write into a String cannot fail.
        let _ = writeln!(text, "{:08x}  {:width$}  |{shown}|", line * BYTES_A_LINE, numbers.join(" "));
    }
    text.truncate(text.trim_end().len());
    text
}

fn shown(byte: u8) -> char {
    if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_or_a_dump() {
        assert_eq!(readable("{\"é\":\n1}".as_bytes()), "{\"é\":\n1}");
        let expected = "00000000  1b 5b 33 31 6d 61 62 63 64 65 66 67 68 69 6a 6b  |.[31mabcdefghijk|\n\
                        00000010  ff                                               |.|";
        assert_eq!(readable(b"\x1b[31mabcdefghijk\xff"), expected);
    }

    #[test]
    fn a_line_has_no_control_characters_and_an_end() {
        assert_eq!(on_one_line("a\u{1b}\nb", 80), "a\\u{1b}\\nb");
        assert_eq!(on_one_line("äöü", 2), "äö...");
    }
}
