//! The audit log of commands: a line for each that changes something, with how it has ended. That of the HTTP interface is in
//! `meterhouse_api`, under the same target.

use meterhouse_api::AUDIT_TARGET;

use crate::failure::{ExitKind, Failure};
use crate::principal;

/// Tells how a command of a person has ended. The words of the command line are no secrets: those come from files and variables.
pub(crate) fn tell_command(action: &str, outcome: &Result<(), Failure>) {
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let (outcome, reason) = match outcome {
        Ok(()) => ("done", String::new()),
        Err(failure) if failure.kind() == ExitKind::Refused => ("refused", failure.to_string()),
        Err(failure) => ("failed", failure.to_string()),
    };
    let principal = principal::name();
    tracing::info!(
        target: AUDIT_TARGET,
        action, outcome, reason, principal_kind = "operator", principal, command,
        "audit"
    );
}

/// Tells what a service has done by itself at its start.
pub(crate) fn tell_service(action: &str) {
    let principal = principal::name();
    tracing::info!(
        target: AUDIT_TARGET,
        action, outcome = "done", reason = "", principal_kind = "service", principal,
        "audit"
    );
}
