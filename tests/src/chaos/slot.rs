//! A place for a process, which comes and goes.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{Service, crash, wait};

/// A process that was started so short a time ago may not listen to signals yet: SIGTERM just ends it.
const DEAF: Duration = Duration::from_secs(5);

/// A process, and what was done to it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) service: Service,
    state: State,
    /// It may kill itself, or stand still.
    is_armed: bool,
    started: Instant,
    /// It was asked to end before it can be expected to listen.
    is_deaf: bool,
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
        Self { service, state: State::Running, is_armed: false, started: Instant::now(), is_deaf: false }
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
        (self.state, self.is_deaf) = (State::Ending, self.started.elapsed() < DEAF);
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

    /// Kills it and has it come back, to kill itself or to stand still when it passes a place.
    pub(super) fn arm(&mut self, place: &str, hit: u32, action: &str) -> Result<()> {
        self.kill()?;
        self.start(&[(crash::VARIABLE, &format!("{place}:{hit}:{action}"))])?;
        self.is_armed = true;
        Ok(())
    }

    /// Has it not kill or stop itself any more.
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
            let status = self.wait_end()?;
            let is_well = status.success()
                || self.is_armed && ended_by(status, Signal::SIGKILL)
                || self.is_deaf && ended_by(status, Signal::SIGTERM);
            ensure!(is_well, "asked to end, it ended with {status}:\n{}", self.service.log_tail());
        }
        self.start(&[])
    }

    /// Waits for the end of one that was asked to, and that may stand still on its way.
    fn wait_end(&mut self) -> Result<ExitStatus> {
        wait::until("the end of a process", || {
            let status = self.service.ended();
            // One that has ended has been waited for, and gets no signal any more.
            let _ = status.is_none().then(|| self.service.signal(Signal::SIGCONT));
            status
        })?;
        self.service.wait_end()
    }

    fn start(&mut self, variables: &[(&str, &str)]) -> Result<()> {
        self.service.set_variables(variables);
        self.service.start_again()?;
        (self.state, self.is_armed, self.started) = (State::Running, false, Instant::now());
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
        if !(self.is_armed && ended_by(status, Signal::SIGKILL)) {
            bail!("a process ended by itself: {status}\n{}", self.service.log_tail());
        }
        self.service.wait_end()?;
        self.state = State::Down;
        Ok(true)
    }

    /// Whether it has begun to stand still by itself since the last look.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(super) fn has_stopped(&mut self) -> Result<bool> {
        let has_stopped = self.is_armed && self.state == State::Running && self.service.is_stopped()?;
        if has_stopped {
            self.state = State::Held;
        }
        Ok(has_stopped)
    }
}

fn ended_by(status: ExitStatus, signal: Signal) -> bool {
    status.signal() == Some(signal as i32)
}
