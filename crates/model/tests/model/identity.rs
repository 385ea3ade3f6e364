//! Identities and the integers made of them.

use meterhouse_model::{Identity, IdentityHash};
use proptest::prelude::*;

fn coordinates(topic: &str) -> Identity<'_> {
    Identity::Coordinates {
        topic: topic.into(),
        partition: 3,
        offset: 12345,
        timestamp_ms: 1_790_000_000_000,
        index: 0,
    }
}

#[test]
fn identities_are_written_as_tagged_text() {
    let cloud_event = Identity::CloudEvent { source: "/my/source".into(), id: "id-1".into(), index: 0 };
    let table = [
        (Identity::EventId("e-1".into()), "e:3:e-1"),
        (Identity::EventId("é:1".into()), "e:4:é:1"),
        (cloud_event, "c:10:/my/source,4:id-1,0"),
        (coordinates("usage-events"), "k:12:usage-events,3,12345,1790000000000,0"),
        (
            Identity::Coordinates {
                topic: "t".into(),
                partition: 0,
                offset: 0,
                timestamp_ms: -1,
                index: 999,
            },
            "k:1:t,0,0,-1,999",
        ),
    ];
    for (identity, text) in table {
        assert_eq!(identity.to_string(), text);
        assert_eq!(Identity::parse(text), Some(identity));
    }
}

#[test]
fn other_texts_are_no_identities() {
    let long = format!("e:129:{}", "e".repeat(129));
    let malformed = [
        "",
        "e",
        "e:",
        "e::",
        "e-1",
        "e:3",
        "e:3:",
        "e:3:e-",
        "e:3:e-12",
        "e:03:e-1",
        "e:+3:e-1",
        "e:0:",
        "e:-1:e",
        "x:3:e-1",
        "E:3:e-1",
        " e:3:e-1",
        "e:3:e-1 ",
        "e:1:é",
        "c:1:s",
        "c:1:s,1:i",
        "c:1:s,1:i,",
        "c:1:s,1:i,00",
        "c:1:s,1:i,65536",
        "c:1:s,1:i,0,0",
        "c:1:s;1:i,0",
        "c:0:,1:i,0",
        "k:1:t,0,0,0",
        "k:1:t,0,0,0,0,0",
        "k:1:t,,0,0,0",
        "k:1:t,0x1,0,0,0",
        "k:1:t,-0,0,0,0",
        "k:1:t,2147483648,0,0,0",
        "k:1:t,0,9223372036854775808,0,0",
        "e:99999999999999999999:e",
        long.as_str(),
    ];
    for text in malformed {
        assert_eq!(Identity::parse(text), None, "{text}");
    }
}

#[test]
fn references_are_stable() {
    // They are shown to customers: another hash would rename every usage.
    assert_eq!(IdentityHash::of("83FE4FEF2", b"e:3:e-1").usage_reference(), 7_480_462_063_802_388);
    assert_ne!(
        IdentityHash::of("a", b"bc").usage_reference(),
        IdentityHash::of("ab", b"c").usage_reference()
    );
}

fn identities() -> impl Strategy<Value = Identity<'static>> {
    let name = "[a:,0-9é]{1,12}";
    prop_oneof![
        name.prop_map(|id| Identity::EventId(id.into())),
        (name, name, 0..1000_u16).prop_map(|(source, id, index)| Identity::CloudEvent {
            source: source.into(),
            id: id.into(),
            index
        }),
        (name, any::<i32>(), any::<i64>(), any::<i64>(), 0..1000_u16).prop_map(
            |(topic, partition, offset, timestamp_ms, index)| Identity::Coordinates {
                topic: topic.into(),
                partition,
                offset,
                timestamp_ms,
                index
            }
        ),
    ]
}

proptest! {
    #![proptest_config(crate::cases(2000))]

    #[test]
    fn text_and_identity_are_one_to_one(a in identities(), b in identities()) {
        let text = a.to_string();
        let mut bytes = Vec::new();
        a.write_to(&mut bytes);
        prop_assert_eq!(text.as_bytes(), &bytes);
        prop_assert_eq!(Identity::parse(&text), Some(a.clone()));
        prop_assert_eq!(a == b, text == b.to_string());
        prop_assert_eq!(a.clone().into_owned(), a);
    }

    #[test]
    fn a_text_that_is_read_is_written_the_same(text in "[eck]:[0-9]{1,2}:[a,:0-9-]{0,12}") {
        if let Some(identity) = Identity::parse(&text) {
            prop_assert_eq!(identity.to_string(), text);
        }
    }

    #[test]
    fn references_fit_into_53_bits(subscription in "\\PC{0,20}", identity: Vec<u8>) {
        let reference = IdentityHash::of(&subscription, &identity).usage_reference();
        prop_assert!((1..1 << 53).contains(&reference));
    }
}
