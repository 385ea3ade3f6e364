//! `meterhouse ledger accept`: a partition goes on from a position that a person has named.

use std::fmt;
use std::str::FromStr;

use anyhow::anyhow;
use clap::Args;
use meterhouse_ingest::PartitionLog;
use meterhouse_store::{LedgerRow, ResumePoint};

use super::Servers;
use crate::failure::{ExitKind, Failure};
use crate::principal;

/// Longest `--note`, in bytes.
const NOTE_BYTES_MAX: usize = 1024;

#[derive(Debug, Clone, Args)]
pub(crate) struct AcceptArgs {
    /// The partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: i32,
    /// Where it goes on: `beginning` or `end` of the log, or an offset in it
    #[arg(long, value_name = "beginning|end|OFFSET")]
    at: At,
    /// Why, for those who ask later
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = parse_note)]
    note: String,
    /// Do it; without this, only say what would be done
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Beginning,
    End,
    Offset(i64),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "end" => Ok(Self::End),
            _ => {
                let offset = text.parse().ok().filter(|offset| *offset >= 0);
                offset.map(Self::Offset).ok_or_else(|| "must be `beginning`, `end` or an offset".to_owned())
            }
        }
    }
}

fn parse_note(text: &str) -> Result<String, String> {
    if text.len() > NOTE_BYTES_MAX || text.contains(char::is_control) {
        return Err(format!("must have at most {NOTE_BYTES_MAX} bytes and no control characters"));
    }
    Ok(text.to_owned())
}

/// Writes the beginning of a new epoch, or says what that would mean.
///
/// # Errors
/// A server cannot be reached, the log does not hold the position, or nobody has said yes.
pub(super) fn run(args: &AcceptArgs, servers: &Servers<'_>) -> Result<(), Failure> {
    let plan = plan(args, servers)?;
    print!("{plan}");
    if !args.yes {
        return Err(Failure::new(ExitKind::Refused, anyhow!("nothing is written: add --yes to accept this")));
    }
    let note = note(&args.note);
    let row =
        LedgerRow::opening(args.partition, plan.epoch, plan.position, servers.topic_id()?, note.as_str());
    if let Some(rows) = LedgerRow::encode(servers.topic(), &[row]) {
        servers.ask(servers.store.insert(&rows))?;
    }
    println!("accepted by {note}");
    Ok(())
}

fn plan(args: &AcceptArgs, servers: &Servers<'_>) -> Result<Plan, Failure> {
    let (topic, partition) = (servers.topic(), args.partition);
    let mut points = servers.ask(servers.store.resume_points(topic, &[partition]))?;
    let logs = servers.logs()?;
    let Some(log) = logs.iter().find(|log| log.partition == partition) else {
        let text =
            format!("the topic {topic} has {} partitions, and none with the number {partition}", logs.len());
        return Err(Failure::new(ExitKind::Usage, anyhow!(text)));
    };
    let plan = Plan::new(topic, args.at, points.remove(&partition), *log);
    if !(log.start..=log.end).contains(&plan.position) {
        let text = format!(
            "the log of {topic}/{partition} holds offsets {} up to {}: from {} on it could not be read",
            log.start, log.end, plan.position
        );
        return Err(Failure::new(ExitKind::Refused, anyhow!(text)));
    }
    Ok(plan)
}

/// What accepting a position means.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    topic: String,
    epoch: u32,
    position: i64,
    before: Option<ResumePoint>,
    log: PartitionLog,
}

impl Plan {
    fn new(topic: &str, at: At, before: Option<ResumePoint>, log: PartitionLog) -> Self {
        let position = match at {
            At::Beginning => log.start,
            At::End => log.end,
            At::Offset(offset) => offset,
        };
        let epoch = before.map_or(0, |point| point.epoch + 1);
        Self { topic: topic.to_owned(), epoch, position, before, log }
    }

    /// How many offsets of a range the log holds.
    fn in_log(&self, from: i64, to: i64) -> i64 {
        (to.min(self.log.end) - from.max(self.log.start)).max(0)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, epoch, position, before, log } = self;
        writeln!(f, "{topic}/{}: the log holds offsets {} up to {}", log.partition, log.start, log.end)?;
        // Where the ledger has nothing, reading begins with the log.
        let end = before.map_or(log.start, |point| point.position);
        match before {
            Some(point) => writeln!(f, "the ledger ends at {end}, in epoch {}", point.epoch)?,
            None => writeln!(f, "nobody has begun to read it: it would begin at {end}")?,
        }
        writeln!(f, "epoch {epoch} begins at {position}:")?;
        if *position > end {
            let (skipped, held) = (position - end, self.in_log(end, *position));
            writeln!(f, "  {skipped} offsets are skipped, from {end} on; the log holds {held} of them")?;
        } else {
            let (again, held) = (end - position, self.in_log(*position, end));
            writeln!(f, "  no offset is skipped")?;
            writeln!(
                f,
                "  {again} offsets before the ledger's end are read again; the log holds {held} of them"
            )?;
        }
        writeln!(f, "  {} offsets of the log are read from there on", self.in_log(*position, log.end))
    }
}

/// Who does it, and why.
fn note(why: &str) -> String {
    let who = principal::name();
    if why.is_empty() { who } else { format!("{who}: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: PartitionLog = PartitionLog { partition: 3, start: 10, end: 50, committed: None };

    fn plan(at: At, ledger_end: Option<i64>) -> String {
        let before =
            ledger_end.map(|position| ResumePoint { epoch: 4, position, last_record: None, topic_id: 0 });
        Plan::new("t", at, before, LOG).to_string()
    }

    #[test]
    fn a_plan_says_what_is_skipped_and_what_is_read_again() {
        let recreated = plan(At::Beginning, Some(120));
        for words in [
            "t/3: the log holds offsets 10 up to 50",
            "the ledger ends at 120, in epoch 4",
            "epoch 5 begins at 10:",
            "no offset is skipped",
            "110 offsets before the ledger's end are read again; the log holds 40 of them",
            "40 offsets of the log are read from there on",
        ] {
            assert!(recreated.contains(words), "{words}: {recreated}");
        }
        let cut = plan(At::Beginning, Some(3));
        assert!(cut.contains("7 offsets are skipped, from 3 on; the log holds 0 of them"), "{cut}");
        let forward = plan(At::Offset(30), Some(5));
        assert!(forward.contains("25 offsets are skipped, from 5 on; the log holds 20 of them"), "{forward}");
        let first = plan(At::End, None);
        assert!(
            first.contains("epoch 0 begins at 50") && first.contains("40 offsets are skipped"),
            "{first}"
        );
    }

    #[test]
    fn positions_are_words_or_offsets() {
        assert_eq!("beginning".parse(), Ok(At::Beginning));
        assert_eq!("end".parse(), Ok(At::End));
        assert_eq!("17".parse(), Ok(At::Offset(17)));
        for wrong in ["", "-1", "begin", "1.5", "9223372036854775808"] {
            assert!(wrong.parse::<At>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_note_names_who_and_why() {
        assert!(note("").contains('@') && !note("").contains(':'));
        assert!(note("recreated").ends_with(": recreated"));
        assert!(parse_note("a\nb").is_err() && parse_note(&"x".repeat(1025)).is_err());
    }
}
