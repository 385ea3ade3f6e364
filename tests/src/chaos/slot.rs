//! A place for a process, which comes and goes.

use std::os::unix::process::ExitStatusExt;

use anyhow::{Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{Service, crash};

/// A process, and what was done to it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) service: Service,
    state: State,
    /// It may kill itself.
    is_armed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Held,
    /// It was asked to end.
    Ending,
    Down,
}

impl Slot {
    /// For a process that was just started.
    pub(super) fn new(service: Service) -> Self {
        Self { service, state: State::Running, is_armed: false }
    }

    pub(super) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        // One that is armed may have killed itself just now, which `Service::kill` takes for the same.
        self.service.kill()?;
        self.state = State::Down;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.service.signal(Signal::SIGTERM)?;
        self.state = State::Ending;
        Ok(())
    }

    pub(super) fn hold(&mut self) -> Result<()> {
        self.service.signal(Signal::SIGSTOP)?;
        self.state = State::Held;
        Ok(())
    }

    pub(super) fn go_on(&mut self) -> Result<()> {
        self.service.signal(Signal::SIGCONT)?;
        self.state = State::Running;
        Ok(())
    }

    /// Kills it and has it come back, to kill itself when it passes a place.
    pub(super) fn arm(&mut self, place: &str, hit: u32) -> Result<()> {
        self.kill()?;
        self.start(&[(crash::VARIABLE, &format!("{place}:{hit}:kill"))])?;
        self.is_armed = true;
        Ok(())
    }

    /// Has it not kill itself any more.
    pub(super) fn disarm(&mut self) -> Result<()> {
        if self.is_armed && self.state == State::Running {
            self.kill()?;
            self.start(&[])?;
        }
        Ok(())
    }

    /// Starts it again; one that was asked to end has to have done so, with 0.
    pub(super) fn start_again(&mut self) -> Result<()> {
        if self.state == State::Ending {
            let status = self.service.wait_end()?;
            let is_well = status.success() || self.is_armed && is_killed(status);
            ensure!(is_well, "asked to end, it ended with {status}:\n{}", self.service.log_tail());
        }
        self.start(&[])
    }

    fn start(&mut self, variables: &[(&str, &str)]) -> Result<()> {
        self.service.set_variables(variables);
        self.service.start_again()?;
        (self.state, self.is_armed) = (State::Running, false);
        Ok(())
    }

    /// Whether it has killed itself since the last look.
    ///
    /// # Errors
    /// It has ended in another way, which it never does by itself.
    pub(super) fn has_died(&mut self) -> Result<bool> {
        if self.state != State::Running {
            return Ok(false);
        }
        let Some(status) = self.service.ended() else { return Ok(false) };
        if !(self.is_armed && is_killed(status)) {
            bail!("a process ended by itself: {status}\n{}", self.service.log_tail());
        }
        self.service.wait_end()?;
        self.state = State::Down;
        Ok(true)
    }
}

fn is_killed(status: std::process::ExitStatus) -> bool {
    status.signal() == Some(Signal::SIGKILL as i32)
}
