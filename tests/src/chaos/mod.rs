//! Random faults of a seed, for as long as wanted, while somebody asks for histories all the time.
//!
//! A run is a row of actions, each at random times, that hit what the world is made of; most undo themselves after a
//! while. Now and then everything heals, and all of it is compared with the oracle. The seed decides the actions, not
//! when exactly they hit: two runs of a seed are alike, not the same.

mod action;
mod slot;
mod world;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use action::{Action, Undo};
use world::World;

/// Longest pause between two actions.
const PAUSE_MS: u64 = 1200;
/// Longest time until a fault is undone.
const FAULT_MS: u64 = 8000;
/// Time between two comparisons with the oracle.
const CALM_INTERVAL: Duration = Duration::from_secs(60);
/// Faults at a time.
const FAULTS_MAX: usize = 4;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Decides all actions.
    pub seed: u64,
    /// How long faults go on; what follows takes some seconds more.
    pub duration: Duration,
}

/// Runs it, and prints each action.
///
/// # Errors
/// Something was lost, counted twice or answered in part; a process ended by itself; a server cannot be started.
pub fn run(options: Options) -> Result<()> {
    println!("chaos: seed {}, {} s", options.seed, options.duration.as_secs());
    let mut run = Run {
        begun: Instant::now(),
        random: ChaCha8Rng::seed_from_u64(options.seed),
        world: World::new(options.seed)?,
        undoing: Vec::new(),
    };
    let mut calm_at = Instant::now() + CALM_INTERVAL;
    let end = Instant::now() + options.duration;
    while Instant::now() < end {
        run.step()?;
        if Instant::now() >= calm_at {
            run.calm()?;
            calm_at = Instant::now() + CALM_INTERVAL;
        }
    }
    run.calm()?;
    let Run { world, begun, .. } = run;
    let seen = world.end()?;
    println!(
        "chaos: seed {} passed after {} s: {} complete answers, {} refusals, {} silences",
        options.seed,
        begun.elapsed().as_secs(),
        seen.answers,
        seen.refusals,
        seen.silences
    );
    Ok(())
}

/// A run under way.
struct Run {
    begun: Instant,
    random: ChaCha8Rng,
    world: World,
    /// What undoes the faults that there are, and when.
    undoing: Vec<(Instant, Undo)>,
}

impl Run {
    /// One action, after the undoing of those whose time is over.
    fn step(&mut self) -> Result<()> {
        let now = Instant::now();
        let due: Vec<Undo> =
            self.undoing.extract_if(.., |(at, _)| *at <= now).map(|(_, undo)| undo).collect();
        due.into_iter().try_for_each(|undo| self.undo(undo))?;
        for undo in self.world.look()? {
            self.later(undo);
        }
        self.world.publish(&mut self.random)?;
        let faults: Vec<Undo> = self.undoing.iter().map(|(_, undo)| *undo).collect();
        let can_fault = faults.len() < FAULTS_MAX;
        if let Some(action) = Action::draw(&mut self.random, &self.world.running(), &faults, can_fault) {
            self.say(&format!("{action:?}"));
            self.world.act(action).with_context(|| format!("{action:?}"))?;
            action.undo().into_iter().for_each(|undo| self.later(undo));
        }
        thread::sleep(Duration::from_millis(self.random.random_range(0..PAUSE_MS)));
        Ok(())
    }

    fn later(&mut self, undo: Undo) {
        let pause = Duration::from_millis(self.random.random_range(0..FAULT_MS));
        self.undoing.push((Instant::now() + pause, undo));
    }

    fn undo(&mut self, undo: Undo) -> Result<()> {
        self.say(&format!("{undo:?}"));
        self.world.undo(undo)
    }

    /// Everything heals, and is compared.
    fn calm(&mut self) -> Result<()> {
        self.say("everything heals");
        let undoing = std::mem::take(&mut self.undoing);
        undoing.into_iter().try_for_each(|(_, undo)| self.undo(undo))?;
        let records = self.world.compare()?;
        self.say(&format!("{records} records, all as expected"));
        Ok(())
    }

    fn say(&self, what: &str) {
        println!("{:9.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }
}
