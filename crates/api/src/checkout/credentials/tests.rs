use std::sync::{Arc, Mutex};

use axum::http::HeaderValue;
use proptest::prelude::*;
use tokio::sync::watch;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::Credentials;

/// The documented examples: code, date, and the hashes of both algorithms, made with `SECRET_KEY`.
const DOCUMENTED: [(&str, &str, &str, &str); 2] = [
    (
        "AVANGATE",
        "2010-05-13 12:12:12",
        "29e85dbf92ce0113e7755c31c0438a7db98a4de9f910bf0a527e005f35e43739",
        "0c7e9c0c96148e5bf8e199a0a0e27977edc099ff0b27794e761853b96e04c7fb",
    ),
    (
        "YOURCODE123",
        "2020-06-18 08:05:46",
        "483fc633a309cadc65b89519f55cc55e0d0611a6e1dfa62ac4d48fc3703a6a42",
        "89cff582a336094aa0a917003e383016c173b0bcb38d812375b2b10ea6ce99ed",
    ),
];

/// Both merchants, and a token whose text is "test".
const FILE: &str = "\
[[merchant]]
code = 'AVANGATE'
secret = 'SECRET_KEY'
customers = ['a']
[[merchant]]
code = 'YOURCODE123'
secret = 'another one'
customers = ['b']
[[merchant]]
code = 'YOURCODE123'
secret = 'SECRET_KEY'
customers = ['c']
[[token]]
name = 'reporting'
sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
permits = ['usages:read']
customers = ['d']
";

const SKEW: Duration = Duration::from_secs(300);
const SIGNED_AT: [i64; 2] = [1_273_752_732_000_000, 1_592_467_546_000_000];

fn authority() -> Authority {
    let credentials = Credentials::from_toml(FILE, |_| Err(String::new())).unwrap();
    Authority::Credentials(watch::channel(Arc::new(credentials)).1)
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn example(index: usize, algorithm: &str) -> String {
    let (code, date, sha256, sha3) = DOCUMENTED[index];
    let hash = if algorithm == "sha256" { sha256 } else { sha3 };
    format!("code=\"{code}\" date=\"{date}\" hash=\"{hash}\" algo=\"{algorithm}\"")
}

fn ask(list: &[(&'static str, &str)], now_micros: i64) -> Result<Principal, Unauthenticated> {
    principal(&authority(), &headers(list), now_micros, SKEW)
}

/// The customer that somebody may read.
fn customer(list: &[(&'static str, &str)], now_micros: i64) -> Result<String, Unauthenticated> {
    let principal = ask(list, now_micros)?;
    Ok(principal.only_customer().unwrap().as_str().to_owned())
}

#[test]
fn the_documented_signatures_are_good() {
    for algorithm in ["sha256", "sha3-256"] {
        for (index, expected) in [(0, "a"), (1, "c")] {
            let header = example(index, algorithm);
            let found = customer(&[(SIGNATURE, &header)], SIGNED_AT[index]);
            assert_eq!(found.as_deref(), Ok(expected), "{header}");
        }
    }
    let principal = ask(&[(SIGNATURE, &example(0, "sha256"))], SIGNED_AT[0]).unwrap();
    assert_eq!(&*principal.name(), "AVANGATE");
    assert!(principal.has_permit("usages:read") && principal.has_permit("usages:write"));
}

#[test]
fn a_token_will_do_where_there_is_no_signature() {
    let bearer = ("authorization", "Bearer test");
    assert_eq!(customer(&[bearer], 0).as_deref(), Ok("d"));
    assert_eq!(customer(&[bearer, (SIGNATURE, "")], 0).as_deref(), Ok("d"), "empty is missing");
    let good = example(0, "sha256");
    assert_eq!(customer(&[bearer, (SIGNATURE, &good)], SIGNED_AT[0]).as_deref(), Ok("a"));
    let late = ask(&[bearer, (SIGNATURE, &good)], SIGNED_AT[1]).unwrap_err();
    assert_eq!(late, Unauthenticated::Signature(SignatureFault::Skew), "the signature decides");
}

#[test]
fn everything_else_is_refused() {
    let good = example(0, "sha256");
    let (unknown, md5) = (good.replace("AVANGATE", "AVANGATF"), good.replace("sha256", "md5"));
    let other = good.replace("sha256", "sha3-256");
    let cases = [
        (vec![], Unauthenticated::NoCredentials),
        (vec![("authorization", "Basic dGVzdA==")], Unauthenticated::NoToken),
        (vec![("authorization", "Bearer tes")], Unauthenticated::Unknown),
        (vec![("authorization", "Bearer test"); 2], Unauthenticated::OddHeader("authorization")),
        (vec![(SIGNATURE, good.as_str()); 2], Unauthenticated::OddHeader(SIGNATURE)),
        (vec![(SIGNATURE, &unknown)], Unauthenticated::Unknown),
        (vec![(SIGNATURE, &other)], Unauthenticated::Unknown),
        (vec![(SIGNATURE, &md5)], Unauthenticated::Signature(SignatureFault::Algorithm)),
    ];
    for (list, expected) in cases {
        assert_eq!(ask(&list, SIGNED_AT[0]).unwrap_err(), expected, "{list:?}");
    }
    let mut not_utf8 = HeaderMap::new();
    not_utf8.insert(SIGNATURE, HeaderValue::from_bytes(b"code=\"\xff\"").unwrap());
    let refused = principal(&authority(), &not_utf8, 0, SKEW).unwrap_err();
    assert_eq!(refused, Unauthenticated::OddHeader(SIGNATURE));
}

#[test]
fn without_credentials_everybody_passes_if_that_is_asked_for() {
    for list in [vec![], vec![(SIGNATURE, "nonsense")]] {
        assert!(principal(&Authority::Insecure, &headers(&list), 0, SKEW).is_ok());
    }
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[test]
fn the_log_tells_why_and_never_what_was_sent() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let good = example(0, "sha256");
    let sent = [good.as_str(), "code=\"canary\"", "canary", "canary=\"\"", &good.replace("2010", "canary")];
    // With one subscriber alone, the thread of another test that comes by says for all of them whether anybody listens.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    tracing::subscriber::with_default(subscriber, || {
        tracing::callsite::rebuild_interest_cache();
        for header in sent {
            assert!(ask(&[(SIGNATURE, header)], 0).is_err());
        }
        assert!(ask(&[("authorization", "Bearer canary")], 0).is_err());
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.lines().all(|line| line.contains("DEBUG") && line.contains("not authenticated")), "{text}");
    for part in ["canary", "AVANGATE", "29e85dbf", "SECRET_KEY"] {
        assert!(!text.contains(part), "{part}\n{text}");
    }
}

/// A byte that a header may hold, which is nearly all of them.
fn header_byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8]
}

/// Only the hash may be written in another way without being another one.
fn is_same_hash(good: &str, changed: &str) -> bool {
    let start = good.find("hash=\"").unwrap() + "hash=\"".len();
    let hash = start..start + 64;
    let is_elsewhere =
        |place: usize| !hash.contains(&place) && good.as_bytes()[place] != changed.as_bytes()[place];
    !(0..good.len()).any(is_elsewhere) && good.eq_ignore_ascii_case(changed)
}

proptest! {
    #[test]
    fn no_header_makes_the_reader_panic(
        bytes in proptest::collection::vec(header_byte(), 0..600),
        text in "((code|date|hash|algo|x)?=?[\"']?(AVANGATE|sha256|[0-9a-f]{0,70}|2010-05-13 12:12:12|.)[\"']? ?){0,9}",
    ) {
        for value in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                let mut headers = HeaderMap::new();
                headers.insert(SIGNATURE, value);
                prop_assert!(principal(&authority(), &headers, SIGNED_AT[0], SKEW).is_err());
            }
        }
    }

    #[test]
    fn a_changed_byte_is_refused(
        index in 0..2_usize,
        algorithm in prop_oneof![Just("sha256"), Just("sha3-256")],
        place in any::<prop::sample::Index>(),
        byte in b' '..=b'~',
    ) {
        let good = example(index, algorithm);
        let mut changed = good.clone().into_bytes();
        changed[place.index(good.len())] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(!is_same_hash(&good, &changed));
        prop_assert!(ask(&[(SIGNATURE, &changed)], SIGNED_AT[index]).is_err(), "{}", changed);
    }
}
