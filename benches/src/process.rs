//! What a process has used, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// A clock tick of `/proc/PID/stat`: Linux shows all architectures 100 of them a second.
const TICK: Duration = Duration::from_millis(10);
/// Places of user and system time behind the process's name, which may hold spaces.
const TIMES: [usize; 2] = [11, 12];

/// Resources of a process, since its start.
#[derive(Debug)]
pub struct Usage {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Largest resident memory.
    pub peak_bytes: u64,
}

impl Usage {
    /// Of a process so far.
    ///
    /// # Errors
    /// There is none.
    pub fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let mut cpu = Duration::ZERO;
        for place in TIMES {
            let ticks: u32 = fields.get(place).context("stat is short")?.parse()?;
            cpu += TICK * ticks;
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kibibytes: u64 = peak.trim().trim_end_matches("kB").trim().parse()?;
        Ok(Self { cpu, peak_bytes: kibibytes * 1024 })
    }

    /// What was used since an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(earlier.cpu), peak_bytes: self.peak_bytes }
    }
}
