//! `meterhouse ledger show`.

use std::fmt::Write;

use clap::Args;
use meterhouse_ingest::PartitionLog;
use meterhouse_store::LedgerSummary;
use serde_json::{Value, json};

use super::Servers;
use crate::failure::Failure;
use crate::time::rfc3339;

const HEADERS: [&str; 14] = [
    "PARTITION",
    "EPOCH",
    "BEGINNING",
    "END",
    "STORED",
    "REJECTED",
    "HOLES",
    "AMENDED",
    "DELETED",
    "LAST RECORD",
    "WRITTEN",
    "LOG START",
    "LOG END",
    "COMMITTED",
];
/// Stands for what is not known.
const UNKNOWN: &str = "-";

#[derive(Debug, Clone, Args)]
pub(crate) struct ShowArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A partition, as the ledger and the log have it.
struct Row {
    ledger: LedgerSummary,
    log: Option<PartitionLog>,
}

/// Prints the ledger, and beside it the logs if Kafka answers.
///
/// # Errors
/// ClickHouse cannot be reached.
pub(super) fn run(args: &ShowArgs, servers: &Servers<'_>) -> Result<(), Failure> {
    let summaries = servers.ask(servers.store.ledger_summaries(servers.topic()))?;
    let (logs, silence) = match servers.logs() {
        Ok(logs) => (logs, None),
        Err(failure) => (Vec::new(), Some(failure.to_string())),
    };
    let log_of = |partition: i32| logs.iter().copied().find(|log| log.partition == partition);
    let rows: Vec<Row> =
        summaries.into_iter().map(|ledger| Row { log: log_of(ledger.partition), ledger }).collect();
    let begun = |log: &&PartitionLog| rows.iter().any(|row| row.ledger.partition == log.partition);
    let not_begun: Vec<i32> = logs.iter().filter(|log| !begun(log)).map(|log| log.partition).collect();
    if args.json {
        let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
        let all = json!({
            "topic": servers.topic(), "partitions": rows, "not_begun": not_begun, "kafka": silence,
        });
        println!("{all:#}");
    } else {
        print!("{}", text(servers.topic(), &rows, &not_begun, silence.as_deref()));
    }
    Ok(())
}

impl Row {
    fn to_json(&self) -> Value {
        let ledger = &self.ledger;
        json!({
            "partition": ledger.partition,
            "epoch": ledger.epoch,
            "beginning": ledger.beginning,
            "note": ledger.note,
            "end": ledger.end,
            "gaps": ledger.gaps,
            "stored": ledger.stored,
            "rejected": ledger.rejected,
            "holes": ledger.holes,
            "amended": ledger.amended,
            "deleted": ledger.deleted,
            "last_record_time": ledger.last_record_ms.map(rfc3339),
            "written_at": rfc3339(ledger.written_at_ms),
            "log_start": self.log.map(|log| log.start),
            "log_end": self.log.map(|log| log.end),
            "committed": self.log.and_then(|log| log.committed),
        })
    }

    fn cells(&self) -> [String; HEADERS.len()] {
        let ledger = &self.ledger;
        let known =
            |number: Option<i64>| number.map_or_else(|| UNKNOWN.to_owned(), |number| number.to_string());
        [
            ledger.partition.to_string(),
            ledger.epoch.to_string(),
            ledger.beginning.to_string(),
            ledger.end.to_string(),
            ledger.stored.to_string(),
            ledger.rejected.to_string(),
            ledger.holes.to_string(),
            ledger.amended.to_string(),
            ledger.deleted.to_string(),
            ledger.last_record_ms.map_or_else(|| UNKNOWN.to_owned(), rfc3339),
            rfc3339(ledger.written_at_ms),
            known(self.log.map(|log| log.start)),
            known(self.log.map(|log| log.end)),
            known(self.log.and_then(|log| log.committed)),
        ]
    }
}

fn text(topic: &str, rows: &[Row], not_begun: &[i32], silence: Option<&str>) -> String {
    let mut text = format!("topic {topic}\n");
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    let widths: Vec<usize> = (0..HEADERS.len())
        .map(|column| {
            cells.iter().map(|row| row[column].len()).chain([HEADERS[column].len()]).max().unwrap_or(0)
        })
        .collect();
    for line in [HEADERS.map(str::to_owned)].iter().chain(&cells) {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    for Row { ledger, .. } in rows {
        for (from, to) in &ledger.gaps {
            let partition = ledger.partition;
            let _ =
                writeln!(text, "partition {partition}: a gap from {from} up to {to}, which is not read yet");
        }
        if !ledger.note.is_empty() {
            let _ = writeln!(text, "partition {}, epoch {}: {}", ledger.partition, ledger.epoch, ledger.note);
        }
    }
    if !not_begun.is_empty() {
        let _ = writeln!(text, "partitions that nobody has begun to read: {not_begun:?}");
    }
    if let Some(silence) = silence {
        let _ = writeln!(text, "nothing is known of the logs: {silence}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let ledger = LedgerSummary {
            partition: 3,
            epoch: 1,
            beginning: 5,
            note: "a@b: recreated".to_owned(),
            end: 10,
            gaps: vec![(10, 20)],
            stored: 12,
            rejected: 2,
            holes: 1,
            amended: 0,
            deleted: 0,
            last_record_ms: Some(1_790_000_000_123),
            written_at_ms: 1_790_000_001_000,
        };
        Row { ledger, log: Some(PartitionLog { partition: 3, start: 0, end: 40, committed: None }) }
    }

    #[test]
    fn columns_stand_below_their_headers() {
        let shown = text("t", &[row()], &[4], Some("no answer"));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "topic t");
        for (header, cell) in [("END", "10"), ("LAST RECORD", "2026-09-21T14:13:20.123Z"), ("LOG END", "40")]
        {
            let end = |line: &str, word: &str| line.find(&format!("  {word}")).map(|at| at + word.len());
            assert_eq!(end(lines[1], &format!("{header}  ")), end(lines[2], &format!("{cell}  ")), "{shown}");
        }
        assert!(lines[2].ends_with(" -"), "{shown}");
        assert_eq!(lines[3], "partition 3: a gap from 10 up to 20, which is not read yet");
        assert_eq!(lines[4], "partition 3, epoch 1: a@b: recreated");
        assert!(shown.contains("begun to read: [4]") && shown.contains("logs: no answer"), "{shown}");
    }

    #[test]
    fn json_has_numbers_and_times() {
        let shown = row().to_json();
        assert_eq!(shown["gaps"], json!([[10, 20]]));
        assert_eq!(shown["written_at"], "2026-09-21T14:13:21.000Z");
        assert_eq!((&shown["log_end"], &shown["committed"]), (&json!(40), &Value::Null));
    }
}
