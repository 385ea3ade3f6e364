//! The effective configuration as TOML.

use std::fmt::Write;

use super::layers::holds_properties;
use super::reader::{Effective, quoted};

/// TOML with a section a table, and a comment behind each value that is no default.
///
/// It can be read again, but for the secrets.
pub(super) fn to_toml(effective: &[Effective]) -> String {
    let mut text = String::new();
    let mut section = "";
    for Effective { section: of, key, value, source } in effective {
        if of != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{of}]");
            section = of;
        }
        let key = if holds_properties(of) { quoted(key) } else { key.clone() };
        let _ = match value {
            Some(value) => write!(text, "{key} = {value}"),
            None => write!(text, "# {key} is not set"),
        };
        let _ = match source {
            Some(source) => writeln!(text, " # {source}"),
            None => writeln!(text),
        };
    }
    text
}
