//! Texts that are sent where they do not belong: `tests/data/injection.json`.

use std::fs;

use anyhow::{Context, Result};
use meterhouse_localstack::workspace_dir;
use serde::Deserialize;

/// Texts by where they are sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Names that are legal, however odd: of a subscription, an option code, or in a description.
    pub legal: Vec<Text>,
    /// Descriptions that are legal; names with control characters are not.
    pub descriptions: Vec<Text>,
    /// Parts of a path and values in a query, as they are sent.
    pub raw: Vec<Text>,
    /// Values of headers.
    pub headers: Vec<Text>,
    /// Bodies.
    pub bodies: Vec<Text>,
}

/// A text as it is, or one that is too long to be written out.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// As it is.
    Plain(String),
    /// With a part that is there many times.
    Repeated(Repeated),
}

/// A text with a part that is there many times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    #[serde(default)]
    before: String,
    text: String,
    times: usize,
    #[serde(default)]
    after: String,
}

impl Texts {
    /// Reads them.
    ///
    /// # Errors
    /// The file is not as it should be.
    pub fn read() -> Result<Self> {
        let path = workspace_dir().join("tests/data/injection.json");
        let json = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&json).with_context(|| path.display().to_string())
    }
}

impl Text {
    /// The whole text.
    pub fn whole(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Repeated(Repeated { before, text, times, after }) => {
                format!("{before}{}{after}", text.repeat(*times))
            }
        }
    }
}
