//! What can happen.

use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Mode, crash};

/// How often something is done at a step.
const LIKELIHOOD: f64 = 0.7;
/// Longest delay on a wire.
const DELAY_MS: u64 = 300;
/// Most bytes of a request that pass before its connection breaks.
const BYTES: usize = 20_000;
/// Latest pass of a crash point.
const HITS: u32 = 6;

/// Something that happens. Numbers are those of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    KillProcess(usize),
    EndProcess(usize),
    HoldProcess(usize),
    /// It is killed and comes back, to kill itself at a pass of a place, or to stand still there.
    ArmProcess(usize, &'static str, u32, &'static str),
    KillKafka,
    HoldKafka,
    KillClickHouse,
    HoldClickHouse,
    BreakKafkaWire(Mode),
    BreakClickHouseWire(Mode),
    StopMerges,
    Merge,
    Migrate,
    ShowLedger,
    Replay,
    /// Sums by day are void, and made again.
    Rebuild,
}

/// What ends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    StartProcess(usize),
    ContinueProcess(usize),
    StartKafka,
    ContinueKafka,
    StartClickHouse,
    ContinueClickHouse,
    MendKafkaWire,
    MendClickHouseWire,
}

impl Action {
    /// Draws one that is possible now, if one is drawn at all. `faults` are what undoes those that there are.
    pub(super) fn draw(
        random: &mut ChaCha8Rng,
        running: &[usize],
        faults: &[Undo],
        can_fault: bool,
    ) -> Option<Self> {
        if !random.random_bool(LIKELIHOOD) {
            return None;
        }
        let is_free = |undoing: &[Undo]| !faults.iter().any(|fault| undoing.contains(fault));
        let mut possible = vec![Self::Migrate, Self::ShowLedger, Self::Replay, Self::Rebuild];
        if is_free(&[Undo::StartClickHouse, Undo::ContinueClickHouse]) {
            possible.extend([Self::Merge, Self::StopMerges]);
            possible.extend(
                can_fault.then_some([Self::KillClickHouse, Self::HoldClickHouse]).into_iter().flatten(),
            );
        }
        if can_fault && is_free(&[Undo::StartKafka, Undo::ContinueKafka]) {
            possible.extend([Self::KillKafka, Self::HoldKafka]);
        }
        if can_fault && is_free(&[Undo::MendKafkaWire]) {
            possible.extend([mode(random), mode(random)].map(Self::BreakKafkaWire));
        }
        if can_fault && is_free(&[Undo::MendClickHouseWire]) {
            possible.extend([mode(random), mode(random)].map(Self::BreakClickHouseWire));
        }
        if let Some(slot) = running.choose(random).copied().filter(|_| can_fault) {
            let place = crash::places().choose(random).copied()?;
            let action = crash::ACTIONS.choose(random).copied()?;
            let arm = Self::ArmProcess(slot, place, random.random_range(1..=HITS), action);
            possible.extend([
                Self::KillProcess(slot),
                Self::EndProcess(slot),
                Self::HoldProcess(slot),
                arm,
                arm,
            ]);
        }
        possible.choose(random).copied()
    }

    /// What undoes it, if it is not over at once.
    pub(super) fn undo(self) -> Option<Undo> {
        Some(match self {
            Self::KillProcess(slot) | Self::EndProcess(slot) => Undo::StartProcess(slot),
            Self::HoldProcess(slot) => Undo::ContinueProcess(slot),
            Self::KillKafka => Undo::StartKafka,
            Self::HoldKafka => Undo::ContinueKafka,
            Self::KillClickHouse => Undo::StartClickHouse,
            Self::HoldClickHouse => Undo::ContinueClickHouse,
            Self::BreakKafkaWire(_) => Undo::MendKafkaWire,
            Self::BreakClickHouseWire(_) => Undo::MendClickHouseWire,
            // The one kills or stops itself, or does not; merges begin again when everything heals, or the server was killed.
            Self::ArmProcess(..) | Self::StopMerges | Self::Merge => return None,
            Self::Migrate | Self::ShowLedger | Self::Replay | Self::Rebuild => return None,
        })
    }
}

fn mode(random: &mut ChaCha8Rng) -> Mode {
    match random.random_range(0..5) {
        0 => Mode::Cut,
        1 => Mode::Stall,
        2 => Mode::DropAnswers,
        3 => Mode::HalfWrite(random.random_range(0..BYTES)),
        _ => Mode::Delay(Duration::from_millis(random.random_range(1..DELAY_MS))),
    }
}
