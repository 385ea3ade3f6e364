//! Kafka's own command-line tools.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Result, kafka, setup::Installed};

/// A tool takes two seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);
const HEAP_MEBIBYTES: u32 = 256;

/// Runs the tool `class` to its end and returns its standard output.
pub(crate) fn run(
    installed: &Installed,
    bootstrap: &str,
    class: &str,
    arguments: &[&str],
    input: &[u8],
) -> Result<String> {
    let failed = || format!("run {class}");
    let mut command = Command::new(kafka::java_program());
    command.args(kafka::java_arguments(installed, HEAP_MEBIBYTES, "error")).arg("-XX:TieredStopAtLevel=1");
    command.arg(class).args(["--bootstrap-server", bootstrap]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Error::io(failed))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // All three pipes at once: a full one would hold up the tool.
    let (status, printed, complaints) = thread::scope(|scope| {
        let printed = scope.spawn(|| read(stdout));
        let complaints = scope.spawn(|| read(stderr));
        scope.spawn(move || {
            // A tool that ends before its input does says so by its exit code.
            stdin.map(|mut stdin| stdin.write_all(input))
        });
        let begun = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(None) if begun.elapsed() < LIMIT => thread::sleep(Duration::from_millis(20)),
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break Ok(None);
                }
                other => break other,
            }
        };
        (status, printed.join().unwrap_or_default(), complaints.join().unwrap_or_default())
    });
    let status = match status.map_err(Error::io(failed))? {
        Some(status) if status.success() => return Ok(printed),
        Some(status) => status.to_string(),
        None => format!("killed after {} s", LIMIT.as_secs()),
    };
    Err(Error::Tool { tool: class.to_owned(), status, output: printed + &complaints })
}

fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What came before a failure is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
