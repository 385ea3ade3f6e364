//! Tokens and the file that holds their hashes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The permit that the monthly history asks for.
const PERMIT: &str = "Billing:Api:ServiceUsageHistory:Show";

/// A token for the history, and what it opens. The default opens every customer's.
#[derive(Debug, Clone)]
pub struct Token {
    /// What a client sends.
    pub text: String,
    /// Customers whose history it opens.
    pub customers: Vec<String>,
    /// What it may do.
    pub permits: Vec<String>,
    /// Further lines of its table in the credentials file.
    pub more: String,
}

impl Token {
    /// A token for every customer.
    pub fn new(text: &str) -> Self {
        let (customers, permits) = (vec!["*".to_owned()], vec![PERMIT.to_owned()]);
        Self { text: text.to_owned(), customers, permits, more: String::new() }
    }

    /// A token for one customer's bill.
    pub fn for_bill(text: &str, customer: &str) -> Self {
        let (customers, permits) = (vec![customer.to_owned()], vec!["#billing:read".to_owned()]);
        Self { text: text.to_owned(), customers, permits, more: String::new() }
    }

    /// A token that reads and writes usages of some customers.
    pub fn for_usages(text: &str, customers: &[&str]) -> Self {
        let permits = ["usages:read", "usages:write"].map(str::to_owned).to_vec();
        let customers = customers.iter().map(ToString::to_string).collect();
        Self { text: text.to_owned(), customers, permits, more: String::new() }
    }

    /// The credentials file for some tokens.
    pub fn file(tokens: &[Self]) -> String {
        let mut file = String::new();
        for (token, number) in tokens.iter().zip(1..) {
            let hash = hex::encode(Sha256::digest(&token.text));
            // To write into a String cannot fail. A list of strings is the same in TOML and in Rust's Debug.
            let _ = writeln!(file, "[[token]]\nname = \"token-{number}\"\nsha256 = \"{hash}\"");
            let _ = writeln!(file, "permits = {:?}\ncustomers = {:?}", token.permits, token.customers);
            let _ = writeln!(file, "{}", token.more);
        }
        file
    }
}
