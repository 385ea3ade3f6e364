//! The scanner beside serde_json: both must find the same values in the same texts.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{skip_space, skip_value, walk_array, walk_object};

/// So many cases, unless `PROPTEST_CASES` says otherwise.
fn cases(count: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(count),
    }
}

/// Whether a text is one JSON text, as the scanner sees it.
fn is_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = skip_value(bytes, skip_space(bytes, 0));
    end.is_some_and(|end| skip_space(bytes, end) == bytes.len())
}

fn check(text: &str) -> TestCaseResult {
    let is_valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
    prop_assert_eq!(is_json(text), is_valid, "{:?}", text);
    let (start, end) =
        (skip_space(text.as_bytes(), 0), Some(text.trim_end_matches([' ', '\t', '\r', '\n']).len()));
    let mut elements = Vec::new();
    let array_end = walk_array(text, start, |element| elements.push(element));
    let mut members = Vec::new();
    let object_end = walk_object(text, start, |name, value| members.push((name, value)));
    let opener = text.as_bytes().get(start);
    prop_assert_eq!(array_end.is_some() && array_end == end, is_valid && opener == Some(&b'['), "{:?}", text);
    prop_assert_eq!(
        object_end.is_some() && object_end == end,
        is_valid && opener == Some(&b'{'),
        "{:?}",
        text
    );
    if is_valid && opener == Some(&b'[') {
        let expected: Vec<&RawValue> = serde_json::from_str(text).unwrap();
        let expected: Vec<&str> = expected.into_iter().map(RawValue::get).collect();
        prop_assert_eq!(elements, expected);
    }
    // The other library resolves names, which fails where one holds half a character.
    if is_valid
        && opener == Some(&b'{')
        && let Ok(expected) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
    {
        let resolved = members.iter().map(|(name, value)| {
            let name: String = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            (name, *value)
        });
        let resolved: BTreeMap<String, &str> = resolved.collect();
        let expected = expected.into_iter().map(|(name, value)| (name, value.get()));
        prop_assert_eq!(resolved, expected.collect());
    }
    Ok(())
}

/// Texts that are JSON, with spaces wherever they may be.
fn json() -> impl Strategy<Value = String> {
    let space = "[ \t\r\n]{0,2}";
    let string = "\"([ !#-\\[\\]-~\u{7f}é大😀]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,20}\"";
    let number = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][-+]?[0-9]{1,4})?";
    let leaf = prop_oneof![string, number, Just("true".into()), Just("false".into()), Just("null".into())];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        let padded = (space, inner, space).prop_map(|(before, value, after)| before + &value + &after);
        let member = (space, string, space, padded.clone())
            .prop_map(|(before, name, after, value)| format!("{before}{name}{after}:{value}"));
        let listed = |entries: Vec<String>, ends: [&str; 2], space: String| match entries.is_empty() {
            true => format!("{}{space}{}", ends[0], ends[1]),
            false => format!("{}{}{}", ends[0], entries.join(","), ends[1]),
        };
        prop_oneof![
            (prop::collection::vec(padded, 0..5), space).prop_map(move |(values, space)| listed(
                values,
                ["[", "]"],
                space
            )),
            (prop::collection::vec(member, 0..5), space).prop_map(move |(members, space)| listed(
                members,
                ["{", "}"],
                space
            )),
        ]
    })
}

/// What is put into a text to break it, or not.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "fals",
    "0",
    "-",
    "+",
    ".",
    "e",
    "E9",
    " ",
    "\n",
    "\t",
    "\r",
    "\u{b}",
    "\u{c}",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "😀",
    "\\u",
    "\\u12",
    "\\u12g4",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "\\x",
    "\\\"",
    "\\\\",
    "\\/",
    "'",
    "/",
    "//",
    "NaN",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), any::<char>().prop_map(String::from)]
}

/// Puts pieces in place of so many bytes each. What is no UTF-8 afterwards becomes a replacement character.
fn mutate(text: &str, changes: &[(Index, usize, String)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, length, piece) in changes {
        let start = place.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece.bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn changes() -> impl Strategy<Value = Vec<(Index, usize, String)>> {
    prop::collection::vec((any::<Index>(), 0..3_usize, piece()), 1..4)
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn valid_texts(text in json()) {
        prop_assert!(is_json(&text), "{:?}", text);
        check(&text)?;
    }

    #[test]
    fn texts_that_were_valid(text in json(), changes in changes()) {
        check(&mutate(&text, &changes))?;
    }

    #[test]
    fn heaps_of_pieces(pieces in prop::collection::vec(piece(), 0..16)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn strings_at_any_place(before in " {0,9}", plain in "[a-z~é]{0,20}", pieces in prop::collection::vec(piece(), 0..4), after in "[a-z]{0,9}") {
        check(&format!("{before}\"{plain}{}{after}\"", pieces.concat()))?;
    }

    #[test]
    fn nearly_numbers(text in "-?[0-9]{0,3}[-+.eE]?[0-9]{0,3}[-+.eE]{0,2}[0-9]{0,3}[.eE]?") {
        check(&text)?;
        check(&format!("[{text}]"))?;
    }

    #[test]
    fn deep_nesting(opened in prop::collection::vec(any::<bool>(), 0..400), changes in changes()) {
        let openers: String = opened.iter().map(|is_array| if *is_array { "[" } else { "{\"a\":" }).collect();
        let closers: String = opened.iter().rev().map(|is_array| if *is_array { "]" } else { "}" }).collect();
        let text = format!("{openers}0{closers}");
        prop_assert!(is_json(&text));
        check(&text)?;
        check(&mutate(&text, &changes))?;
    }
}

#[test]
fn every_byte_of_a_string_is_judged_alike_at_every_place() {
    for byte in 0..=0x7f_u8 {
        for place in 0..24 {
            let mut bytes = [b'x'; 26];
            (bytes[0], bytes[25]) = (b'"', b'"');
            bytes[1 + place] = byte;
            let text = str::from_utf8(&bytes).unwrap();
            assert_eq!(is_json(text), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text:?}");
        }
    }
}
