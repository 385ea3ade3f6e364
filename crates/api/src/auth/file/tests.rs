use super::*;
use crate::auth::credentials::Allowed;

mod merchants;

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // of "test"

const COMPLETE: &str = r##"
[[token]]
name = "reporting"
sha256 = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
permits = ["Billing:Api:ServiceUsageHistory:Show", "#billing:read", "usages:read"]
customers = ["1000941"]
products = ["billing"]
features = ["*"]
expires = "2027-01-01T00:00:00Z"
clubs = { infinity-mall = "1000941" }

[[merchant]]
code = "YOURCODE123"
secret = "hidden"
customers = ["*"]

[[merchant]]
code = "OTHER"
secret_file = "path"
customers = ["1000941"]
permits = ["usages:read"]
expires = 2027-01-01T00:00:00Z

[[merchant]]
code = "OTHER"
secret_variable = "NAME"
customers = []

[[email_key]]
email = "a@example.com"
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
customers = ["1000941"]

[[email_key]]
email = "a@example.com"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
customers = ["1000941"]
permits = ["#billing:read"]
expires = "2027-01-01T00:00:00Z"
"##;

/// Secrets that are elsewhere: one in a file, one in a variable.
fn find(place: SecretPlace<'_>) -> Result<String, String> {
    match place {
        SecretPlace::File("path") => Ok("in a file\r\n".to_owned()),
        SecretPlace::File("line end") => Ok("\n".to_owned()),
        SecretPlace::Variable("NAME") => Ok("in a variable\n".to_owned()),
        SecretPlace::Variable("EMPTY") => Ok(String::new()),
        _ => Err("there is none".to_owned()),
    }
}

fn read(text: &str) -> Result<Credentials, CredentialsError> {
    Credentials::from_toml(text, find)
}

fn mistakes(text: &str) -> Vec<(usize, String)> {
    let error = read(text).unwrap_err();
    error.mistakes().map(|(line, what)| (line, what.to_owned())).collect()
}

#[test]
fn a_complete_file_is_read() {
    let credentials = read(COMPLETE).unwrap();
    let token = credentials.by_token("test", 0).unwrap();
    assert_eq!(&*token.name, "reporting");
    assert!(token.permits.contains("Billing:Api:ServiceUsageHistory:Show"));
    assert!(token.customers.contains("1000941") && !token.customers.contains("1000942"));
    assert!(token.products.contains("billing") && !token.products.contains("Billing"));
    assert_eq!(token.features, Allowed::All);
    assert_eq!(token.expires, Some(1_798_761_600_000_000));
    assert_eq!(token.clubs["infinity-mall"], "1000941");
}

#[test]
fn an_address_has_its_customers_and_the_right_to_read_bills() {
    let credentials = read(COMPLETE).unwrap();
    let grant = credentials.by_email_key("a@example.com", "test", 0).unwrap();
    assert_eq!(&*grant.name, "a@example.com");
    assert!(grant.permits.iter().eq(["#billing:read"]));
    assert!(grant.customers.contains("1000941") && !grant.customers.contains("1"));
    assert!(credentials.by_token("test", 0).unwrap().key != grant.key);
}

#[test]
fn optional_keys_default_to_everything() {
    let text = format!("[[token]]\nname='a'\nsha256='{DIGEST}'\npermits=[]\ncustomers=['*']");
    let credentials = read(&text).unwrap();
    let token = credentials.by_token("test", i64::MAX).unwrap();
    assert_eq!([&token.customers, &token.products, &token.features], [&Allowed::All; 3]);
    assert!(token.permits.is_empty() && token.clubs.is_empty() && token.expires.is_none());
}

#[test]
fn an_empty_file_knows_nobody() {
    let merchant = "[[merchant]]\ncode = 'X'\nsecret = 'x'\ncustomers = []\n";
    for text in ["", "# nothing yet\n", merchant] {
        assert_eq!(read(text).unwrap().tokens(), 0, "{text:?}");
    }
}

#[test]
fn expiry_is_a_string_or_a_toml_date_with_an_offset() {
    let token = |expires: &str| {
        let base = format!("[[token]]\nname='a'\nsha256='{DIGEST}'\npermits=[]\ncustomers=[]\n");
        read(&format!("{base}expires={expires}"))
    };
    for good in ["'2027-01-01T00:00:00Z'", "2027-01-01T00:00:00Z", "2027-01-01 01:00:00+01:00"] {
        assert_eq!(token(good).unwrap().tokens[0].grant.expires, Some(1_798_761_600_000_000), "{good}");
    }
    for bad in ["'2027-01-01'", "2027-01-01", "2027-01-01T00:00:00", "'soon'", "1798761600", "''", "true"] {
        assert!(token(bad).is_err(), "{bad}");
    }
}

#[test]
fn all_mistakes_come_at_once_with_their_lines() {
    let text = format!(
        "tokens = 1\n\
         [[token]]\n\
         name = \"a\"\n\
         sha256 = \"{DIGEST}\"\n\
         permits = [\"x\", 5, \"\"]\n\
         customers = [\"1\"]\n\
         expire = \"2027-01-01T00:00:00Z\"\n\
         [[token]]\n\
         sha256 = \"my-secret\"\n\
         permits = \"x\"\n\
         customers = [\"a\\nb\"]\n\
         clubs = {{ mall = 1, \"\" = \"1000941\" }}\n\
         expires = \"never\"\n\
         [[token]]\n\
         name = \"b\"\n\
         sha256 = \"{DIGEST}\"\n\
         permits = []\n\
         customers = []\n"
    );
    let found = mistakes(&text);
    let expected = [
        (1, "file: unknown key `tokens`"),
        (5, "token \"a\": `permits` must be a string"),
        (5, "token \"a\": `permits` must hold names of 1 to 128 bytes without control characters"),
        (7, "token \"a\": unknown key `expire`"),
        (8, "token 2: `name` is missing"),
        (9, "token 2: `sha256` must be 64 hexadecimal digits: the SHA-256 of the token, not the token"),
        (10, "token 2: `permits` must be a list of strings"),
        (11, "token 2: `customers` must hold names of 1 to 128 bytes without control characters"),
        (12, "token 2: `clubs` must be a string"),
        (12, "token 2: `clubs` must hold names of 1 to 128 bytes without control characters"),
        (13, "token 2: `expires` must be a time like \"2027-01-01T00:00:00Z\", with an offset"),
        (14, "token \"b\": the same `sha256` as token \"a\""),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(line, what)| (line, what.to_owned())).collect();
    let mut sorted = expected.clone();
    sorted.sort();
    assert_eq!(found, sorted);
}

#[test]
fn text_that_is_not_toml_is_named_by_line_and_never_quoted() {
    let error = read("[[token]]\nname = \"a\"\nsha256 = topsecret\npermits = [\n").unwrap_err();
    let shown = error.to_string();
    assert!(shown.starts_with("line 3: not TOML"), "{shown}");
    assert!(!shown.contains("topsecret"), "{shown}");
    let twice = read("[[token]]\nname='a'\nname='b'\n").unwrap_err().to_string();
    assert!(twice.starts_with("line 3:"), "{twice}");
}

#[test]
fn a_table_of_another_shape_is_a_mistake() {
    for kind in ["token", "merchant", "email_key"] {
        for text in [format!("{kind} = 'x'"), format!("[{kind}]\nname='a'"), format!("{kind} = [1]")] {
            assert_eq!(mistakes(&text), [(1, format!("`{kind}` must be written as [[{kind}]]"))], "{text}");
        }
    }
}

#[test]
fn every_email_key_is_checked() {
    let text = format!(
        "[[email_key]]\n\
         email = 'nobody'\n\
         sha256 = 'my-secret'\n\
         customers = [2]\n\
         expires = 5\n\
         [[email_key]]\n\
         name = 'x'\n\
         permits = 'x'\n\
         [[email_key]]\n\
         email = 'a@b'\n\
         sha256 = '{DIGEST}'\n\
         customers = ['*']\n\
         [[email_key]]\n\
         email = 'a@b'\n\
         sha256 = '{DIGEST}'\n\
         customers = ['1']\n"
    );
    let expected = [
        (2, "email_key \"nobody\": `email` must be an address with an @"),
        (
            3,
            "email_key \"nobody\": `sha256` must be 64 hexadecimal digits: the SHA-256 of the key, not the key",
        ),
        (4, "email_key \"nobody\": `customers` must be a string"),
        (5, "email_key \"nobody\": `expires` must be a time like \"2027-01-01T00:00:00Z\", with an offset"),
        (6, "email_key 2: `customers` is missing"),
        (6, "email_key 2: `email` is missing"),
        (6, "email_key 2: `sha256` is missing"),
        (7, "email_key 2: unknown key `name`"),
        (8, "email_key 2: `permits` must be a list of strings"),
        (13, "email_key \"a@b\": the same `email` and `sha256` as email_key \"a@b\""),
    ];
    assert_eq!(mistakes(&text), expected.map(|(line, what)| (line, what.to_owned())));
}

#[test]
fn two_tokens_of_one_line_are_two_tokens() {
    let token = format!("{{name='a', sha256='{DIGEST}', permits=[], customers=[]}}");
    let found = mistakes(&format!("token = [{token}, {token}]"));
    assert_eq!(found, [(1, "token \"a\": the same `sha256` as token \"a\"".to_owned())]);
}

#[test]
fn no_text_makes_the_reader_panic() {
    assert!(read(&format!("a = {}", "[".repeat(100_000))).is_err());
    proptest::proptest!(|(text in "(\\[\\[token\\]\\]|name|sha256|=|\"|'|\\[|\\]|\n|[a-f0-9]{0,64}|.){0,40}")| {
        let _ = read(&text);
    });
}
