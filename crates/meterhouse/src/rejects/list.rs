//! `meterhouse rejects list`.

use std::fmt::Write;

use meterhouse_store::ListedReject;

use super::text;
use crate::failure::Failure;

/// Characters of a detail that a line shows.
const DETAIL_CHARACTERS: usize = 100;
const TITLES: [&str; 5] = ["record time", "partition/offset", "reason", "outcome", "detail"];

/// Prints rejects, and how many more there are.
pub(super) fn print(rejects: &[ListedReject], count: u64, json: bool) -> Result<(), Failure> {
    if json {
        let lines = rejects.iter().map(|reject| format!("{}\n", text::listed_json(reject)));
        return text::print(&lines.collect::<String>());
    }
    let mut output = table(rejects);
    let more = count.saturating_sub(rejects.len() as u64);
    // To write into a String cannot fail.
    let _ = match (count, more) {
        (0, _) => writeln!(output, "no rejects"),
        (_, 0) => writeln!(output, "{count} rejects"),
        _ => writeln!(output, "{} of {count} rejects, {more} more: see --limit", rejects.len()),
    };
    text::print(&output)
}

fn table(rejects: &[ListedReject]) -> String {
    if rejects.is_empty() {
        return String::new();
    }
    let cells = |reject: &ListedReject| {
        [
            text::record_time(reject),
            text::place(&reject.key),
            reject.reason.clone(),
            text::outcome(reject).to_owned(),
            text::on_one_line(&reject.detail, DETAIL_CHARACTERS),
        ]
    };
    let rows: Vec<[String; 5]> =
        std::iter::once(TITLES.map(str::to_owned)).chain(rejects.iter().map(cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..TITLES.len() - 1).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text.push_str(&row[TITLES.len() - 1]);
        text.push('\n');
    }
    text
}
