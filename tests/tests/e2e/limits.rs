//! The largest, longest and oddest values that there are.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Site, Usage};

fn units(json: &str) -> Message {
    Usage::default().with_json("Units", json).message()
}

#[test]
fn sums_beyond_every_single_value_are_exact() -> Result<()> {
    let site = Site::new("large_sums")?;
    let largest = "99999999999999999999.999999999999999999";
    let mut messages = vec![units(&format!("\"{largest}\"")); 1000];
    messages
        .extend(["1e-18", "0.000000000000000001", "12345678901234567890.123456789012345678", "0"].map(units));
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    all_is_as_expected(&site, &service.client())?;
    let sum = "100012345678901234567890.12345678901234468";
    assert_eq!(history_lines(&site, &service.client(), "c")?, [format!("10.2026 cpu {sum}")]);
    Ok(())
}

#[test]
fn texts_of_every_kind_are_kept() -> Result<()> {
    let site = Site::new("odd_texts")?;
    let service = site.serve()?;
    // As JSON writes them.
    let odd = ["it's", "a\\\"b", "%_\\\\N", "Größe 大 😀", " spaces ", "{x:String}", "\\u0001"];
    let name = "n".repeat(128);
    let codes: Vec<&str> = odd.iter().copied().chain([name.as_str()]).collect();
    let coded = |code: &&str| Usage::default().with("OptionCode", code).message();
    let messages: Vec<Message> = codes.iter().map(coded).collect();
    site.publisher()?.publish(&messages)?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.rejects.into_iter().collect::<Vec<_>>(), [("invalid_option_code".to_owned(), 1)]);
    assert_eq!(history_lines(&site, &service.client(), "c")?.len(), codes.len() - 1);
    // A name that would end a string of SQL is somebody without usage.
    let reply = service.client().history(site.token(), "c' OR 1 --")?;
    assert_eq!(reply.to_string(), r#"{"service_usage_history":[]}"#);
    Ok(())
}

#[test]
fn keys_headers_and_values_are_kept_byte_by_byte() -> Result<()> {
    let site = Site::new("odd_bytes")?;
    let every_byte: Vec<u8> = (0..=255).collect();
    let message = Message {
        key: Some(every_byte.clone()),
        value: Some(every_byte.clone()),
        headers: vec![("all".to_owned(), every_byte.clone()), ("none".to_owned(), Vec::new())],
        ..Message::default()
    };
    let keyless = Message { value: Some(b"{".to_vec()), ..Message::default() };
    site.publisher()?.publish([&message, &keyless])?;
    let service = site.serve()?;
    site.wait_consumed()?;
    let kept = site.query(
        "SELECT base64Encode(raw), base64Encode(record_key), base64Encode(headers[1].2), headers[2].2 = '', length(headers) \
         FROM rejects FINAL WHERE reason = 'invalid_utf8' FORMAT TSV",
    )?;
    let encoded = STANDARD.encode(&every_byte);
    assert_eq!(kept, format!("{encoded}\t{encoded}\t{encoded}\t1\t2\n"));
    assert_eq!(site.query("SELECT record_key FROM rejects FINAL WHERE reason = 'invalid_json'")?, "\n");
    drop(service);
    Ok(())
}

#[test]
fn the_longest_record_is_stored_and_a_longer_one_rejected() -> Result<()> {
    let mut site = Site::new("long_records")?;
    site.set("ingest.max_record_bytes", 900_000)?;
    let usage = Usage::default().json();
    let padded = |bytes: usize| Message::new("S", " ".repeat(bytes - usage.len()) + &usage);
    site.publisher()?.publish(&[padded(900_000), padded(900_001)])?;
    let service = site.serve()?;
    site.wait_consumed()?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 1.0"]);
    let row = site.query("SELECT reason, length(raw), raw_length FROM rejects FINAL FORMAT TSV")?;
    assert_eq!(row, "too_large\t65536\t900001\n");
    let hash = format!("SELECT raw_sha256 = SHA256(leftPad('{usage}', 900001, ' ')) FROM rejects FINAL");
    assert_eq!(site.query(&hash)?, "1\n", "hash of the whole value");
    Ok(())
}
