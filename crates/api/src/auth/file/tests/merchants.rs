use std::collections::BTreeSet;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{COMPLETE, mistakes, read};
use crate::Credentials;
use crate::auth::credentials::{Allowed, Grant};
use crate::auth::{Algorithm, Signed};

/// Whom a merchant's signature is taken for, if somebody signs with a secret in its name.
fn grant_of(credentials: &Credentials, code: &str, secret: &str, now_micros: i64) -> Option<Arc<Grant>> {
    let message: &[u8] = b"message";
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(message);
    let signature = mac.finalize().into_bytes().into();
    let signed = Signed { code, message, algorithm: Algorithm::Sha256, signature };
    credentials.by_signature(&signed, now_micros)
}

#[test]
fn a_merchant_has_its_customers_and_the_rights_to_read_and_write_usage() {
    let credentials = read(COMPLETE).unwrap();
    let grant = grant_of(&credentials, "YOURCODE123", "hidden", i64::MAX).unwrap();
    assert_eq!(&*grant.name, "YOURCODE123");
    assert!(grant.permits.iter().eq(["usages:read", "usages:write"]));
    assert_eq!([&grant.customers, &grant.products, &grant.features], [&Allowed::All; 3]);

    let other = grant_of(&credentials, "OTHER", "in a file", 0).unwrap();
    assert!(other.permits.iter().eq(["usages:read"]));
    assert!(other.customers.contains("1000941") && !other.customers.contains("1"));
    assert!(grant_of(&credentials, "OTHER", "in a file", 1_798_761_600_000_000).is_none(), "expired");
    assert!(grant_of(&credentials, "OTHER", "hidden", 0).is_none(), "another's secret");

    let third = grant_of(&credentials, "OTHER", "in a variable\n", 0).unwrap();
    assert_eq!(third.customers, Allowed::These(BTreeSet::new()));
}

#[test]
fn every_credential_has_a_key_of_its_own() {
    // The same text in all places where a text can be: token, key, address and code, secret.
    let hash = "7508d8b5018ea640b85269861a101203f0c26900555268e930025dac844b0f35";
    let text = format!(
        "[[token]]\nname = 'a@b'\nsha256 = '{hash}'\npermits = []\ncustomers = []\n\
         [[email_key]]\nemail = 'a@b'\nsha256 = '{hash}'\ncustomers = []\n\
         [[email_key]]\nemail = 'a@c'\nsha256 = '{hash}'\ncustomers = []\n\
         [[merchant]]\ncode = 'a@b'\nsecret = 'a@b'\ncustomers = []\n\
         [[merchant]]\ncode = 'a@b'\nsecret = 'a@c'\ncustomers = []\n\
         [[merchant]]\ncode = 'a@c'\nsecret = 'a@b'\ncustomers = []\n"
    );
    let credentials = read(&text).unwrap();
    let mut keys: Vec<_> = credentials.tokens.iter().map(|token| token.grant.key).collect();
    keys.extend(credentials.email_keys.iter().map(|key| key.grant.key));
    let merchants = [("a@b", "a@b"), ("a@b", "a@c"), ("a@c", "a@b")];
    keys.extend(merchants.map(|(code, secret)| grant_of(&credentials, code, secret, 0).unwrap().key));
    assert_eq!(keys.len(), 6);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 6, "{keys:?}");
}

#[test]
fn a_secret_shows_in_no_mistake_and_in_no_debug_output() {
    let places = ["secret = 'canary'", "secret_file = 'canary'", "secret_variable = 'canary'"];
    let merchant = |rest: &str| format!("[[merchant]]\ncode = 'M'\n{rest}\n");
    let twice = merchant("secret = 'canary'\ncustomers = []").repeat(2);
    let wrong = places.map(|place| merchant(&format!("{place}\nexpires = 'x'"))).into_iter().chain([
        merchant(&places.join("\n")),
        merchant("secret = ['canary']"),
        merchant("secret = canary"),
        merchant("secret = 'canary"),
        twice,
    ]);
    for text in wrong {
        let error = read(&text).unwrap_err();
        assert!(!format!("{error}{error:?}").contains("canary"), "{text}\n{error:?}");
    }
    let good = read(&merchant("secret = 'canary'\ncustomers = ['c']")).unwrap();
    assert!(grant_of(&good, "M", "canary", 0).is_some());
    let shown = format!("{good:?}");
    assert!(shown.contains("\"M\"") && !shown.contains("canary"), "{shown}");
    assert!(!shown.contains(&format!("{:?}", b"canary").replace(['[', ']'], "")), "{shown}");
}

#[test]
fn every_merchant_is_checked() {
    let text = "\
        [[merchant]]\n\
        code = ''\n\
        secret = 'hidden'\n\
        secret_file = 'path'\n\
        customers = '*'\n\
        [[merchant]]\n\
        customers = []\n\
        permits = [1]\n\
        expires = 'never'\n\
        [[merchant]]\n\
        code = 'M'\n\
        secret = ''\n\
        [[merchant]]\n\
        code = 'M'\n\
        secret = 5\n\
        customers = []\n\
        sha256 = 'x'\n\
        [[merchant]]\n\
        code = 'N'\n\
        secret_variable = 'EMPTY'\n\
        secret = 'a'\n\
        secret_file = 'nowhere'\n\
        customers = []\n\
        [[merchant]]\n\
        code = 'N'\n\
        secret_file = 'nowhere'\n\
        customers = []\n\
        [[merchant]]\n\
        code = 'N'\n\
        secret_file = 'line end'\n\
        customers = []\n\
        [[merchant]]\n\
        code = 'N'\n\
        secret_variable = 'EMPTY'\n\
        customers = []\n\
        [[merchant]]\n\
        code = 'O'\n\
        secret = 'in a file'\n\
        customers = []\n\
        [[merchant]]\n\
        code = 'O'\n\
        secret_file = 'path'\n\
        customers = ['*']\n";
    let expected = [
        (2, "merchant \"\": `code` must hold names of 1 to 128 bytes without control characters"),
        (4, "merchant \"\": `secret_file` and `secret` exclude each other"),
        (5, "merchant \"\": `customers` must be a list of strings"),
        (6, "merchant 2: `code` is missing"),
        (6, "merchant 2: `secret`, `secret_file` or `secret_variable` is missing"),
        (8, "merchant 2: `permits` must be a string"),
        (9, "merchant 2: `expires` must be a time like \"2027-01-01T00:00:00Z\", with an offset"),
        (10, "merchant \"M\": `customers` is missing"),
        (12, "merchant \"M\": `secret` must not be empty"),
        (15, "merchant \"M\": `secret` must be a string"),
        (17, "merchant \"M\": unknown key `sha256`"),
        (20, "merchant \"N\": `secret_variable` and `secret` exclude each other"),
        (22, "merchant \"N\": `secret_file` and `secret` exclude each other"),
        (26, "merchant \"N\": `secret_file` cannot be read: there is none"),
        (30, "merchant \"N\": `secret_file` must not be empty"),
        (34, "merchant \"N\": `secret_variable` must not be empty"),
        (40, "merchant \"O\": the same `code` and secret as merchant \"O\""),
    ];
    assert_eq!(mistakes(text), expected.map(|(line, what)| (line, what.to_owned())));
}
