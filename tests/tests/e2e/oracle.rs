//! The oracle's own tests, which are Python, too.

use std::process::Command;

use anyhow::{Context, Result};
use meterhouse_tests::oracle::folder;

#[test]
fn the_oracle_passes_its_own_tests() -> Result<()> {
    let mut command = Command::new("python3");
    command.args(["-B", "-m", "unittest", "discover"]).current_dir(folder());
    let output = command.output().context("run python3")?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("Ran 0 tests"), "{text}");
    Ok(())
}
