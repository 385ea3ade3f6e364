//! A repeatable load: what a record is follows from the load's description and the record's position alone.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use meterhouse_model::{BillingZone, Reason, Rules};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::event::{self, Fields};
use super::invalid;
use super::share::{Share, WHOLE};
use super::timeline::Timeline;

/// What is sold.
const OPTION_CODES: [&str; 12] = [
    "scale",
    "compute-vcpu-hours",
    "memory-gib-hours",
    "block-storage-gib-hours",
    "object-storage-gib-hours",
    "backup-gib-hours",
    "egress-gib",
    "requests-thousand",
    "load-balancer-hours",
    "database-hours",
    "domains",
    "support-minutes",
];
const SUBSCRIPTIONS_PER_CUSTOMER: u64 = 3;
/// Longest usage and longest delay, in seconds.
const USAGE_SECONDS_MAX: u64 = 86_400;
const DELAY_SECONDS_MAX: u64 = 40 * 86_400;
/// Of so many usages one has no length, and one lasts longer than an hour.
const ONE_IN_MANY: u64 = 16;
const HOUR_SECONDS: u64 = 3600;
/// Half of the duplicates follow their originals within so many records, as a producer's retries do.
const NEAR: u64 = 1000;
/// Records that are looked at for an original of a duplicate before the first record of all is taken.
const LOOK_BACK_MAX: usize = 64;

/// What a load is made of.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// Records of all kinds.
    pub(super) events: u64,
    pub(super) customers: u32,
    /// Name of the only customer, or what the names of several begin with.
    pub(super) customer: String,
    /// Whole months of the billing time zone; the last one ends with `until`.
    pub(super) months: u32,
    /// Seconds since the epoch.
    pub(super) until: i64,
    pub(super) duplicates: Share,
    pub(super) late: Share,
    pub(super) invalid: Share,
    pub(super) seed: u64,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A usage that ends no earlier than those of the records before.
    InTime,
    /// A usage that ended earlier.
    Late,
    /// The same bytes as a usage before.
    Duplicate,
    /// No usage.
    Invalid(Reason),
}

/// A record to publish. Made once and filled for every position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The subscription's reference.
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
}

/// Makes the records of a load.
pub(super) struct Load {
    description: Description,
    zone: Arc<BillingZone>,
    timeline: Timeline,
    fingerprint: u64,
    random: ChaCha8Rng,
    owners: Vec<Owner>,
    reasons: Vec<Reason>,
}

struct Owner {
    subscription: String,
    members: String,
}

/// The numbers that one position draws, always in the same order.
struct Draws(ChaCha8Rng);

impl Draws {
    /// A number below a limit.
    fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or_default()
    }
}

impl Load {
    /// Prepares a load. `rules` are those that it will be judged by, at `now_ms`.
    pub(super) fn new(description: Description, rules: &Rules, now_ms: i64) -> Self {
        let zone = Arc::clone(&rules.zone);
        let timeline = Timeline::new(&zone, description.months, description.until);
        let fingerprint = fingerprint(&description, zone.name());
        let owners = owners(&description);
        let random = ChaCha8Rng::seed_from_u64(description.seed);
        let mut load = Self { description, zone, timeline, fingerprint, random, owners, reasons: Vec::new() };
        let mut sample = Record::default();
        load.make_usage(0, &mut load.draws(0), Kind::InTime, &mut sample);
        let sample = sample.value.and_then(|value| String::from_utf8(value).ok()).unwrap_or_default();
        load.reasons = invalid::reasons(&sample, rules, now_ms);
        load
    }

    /// Fills a record with what is at a position, counted from 0, and says what it is.
    pub(super) fn make(&self, position: u64, record: &mut Record) -> Kind {
        let mut draws = self.draws(position);
        let kind = self.kind(position, &mut draws);
        match kind {
            Kind::InTime | Kind::Late => self.make_usage(position, &mut draws, kind, record),
            Kind::Invalid(reason) => {
                self.make_usage(position, &mut draws, Kind::InTime, record);
                let valid = record.value.take().and_then(|value| String::from_utf8(value).ok());
                record.value = invalid::spoiled(&valid.unwrap_or_default(), reason).flatten();
            }
            Kind::Duplicate => {
                let original = self.original(position, &mut draws);
                let mut draws = self.draws(original);
                let kind = self.kind(original, &mut draws);
                self.make_usage(original, &mut draws, kind, record);
            }
        }
        kind
    }

    /// Seconds since the epoch between which all usage ends.
    pub(super) fn span(&self) -> (i64, i64) {
        (self.timeline.start(), self.timeline.until())
    }

    fn draws(&self, position: u64) -> Draws {
        let mut random = self.random.clone();
        random.set_stream(position);
        Draws(random)
    }

    fn kind(&self, position: u64, draws: &mut Draws) -> Kind {
        let Description { duplicates, late, invalid, .. } = &self.description;
        let invalid = u64::from(invalid.billionths());
        let duplicates = invalid + u64::from(duplicates.billionths());
        let late = duplicates + u64::from(late.billionths());
        let (drawn, which) = (draws.below(u64::from(WHOLE)), draws.below(self.reasons.len() as u64));
        // The first record is an original for every duplicate.
        match position {
            0 => Kind::InTime,
            _ if drawn < invalid => {
                let reason = usize::try_from(which).ok().and_then(|which| self.reasons.get(which));
                reason.map_or(Kind::InTime, |reason| Kind::Invalid(*reason))
            }
            _ if drawn < duplicates => Kind::Duplicate,
            _ if drawn < late => Kind::Late,
            _ => Kind::InTime,
        }
    }

    /// The position of a usage before.
    fn original(&self, position: u64, draws: &mut Draws) -> u64 {
        let reach = if draws.below(2) == 0 { position } else { position.min(NEAR) };
        let nearest = position.saturating_sub(1 + draws.below(reach));
        let before = (0..=nearest).rev().take(LOOK_BACK_MAX);
        let is_usage = |at: &u64| matches!(self.kind(*at, &mut self.draws(*at)), Kind::InTime | Kind::Late);
        before.into_iter().find(is_usage).unwrap_or_default()
    }

    fn make_usage(&self, position: u64, draws: &mut Draws, kind: Kind, record: &mut Record) {
        let owner = self.owner(draws);
        let option = usize::try_from(draws.below(OPTION_CODES.len() as u64)).unwrap_or_default();
        let (shape, length) = (draws.below(ONE_IN_MANY), draws.next_length());
        let delay = i64::try_from(1 + draws.below(DELAY_SECONDS_MAX)).unwrap_or_default();
        let end = match self.timeline.end(position, self.description.events) {
            end if kind == Kind::Late => self.timeline.earlier(end, delay),
            end => end,
        };
        // Without length, a usage at the very end would belong to the month after the last.
        let length = match shape {
            0 if end < self.timeline.until() => 0,
            1 => length,
            _ => 1 + length % HOUR_SECONDS,
        };
        let fields = Fields {
            event_id: (self.fingerprint, position),
            owner: &owner.members,
            option_code: OPTION_CODES[option],
            start: end - i64::try_from(length).unwrap_or_default(),
            end,
            units: draws.units(),
            region: 1 + draws.below(9),
            host: draws.below(1 << 24),
        };
        record.key.clear();
        record.key.push_str(&owner.subscription);
        let mut text = String::from_utf8(record.value.take().unwrap_or_default()).unwrap_or_default();
        text.clear();
        event::write(&fields, &self.zone, &mut text);
        record.value = Some(text.into_bytes());
    }

    /// A subscription. A few have most of the usage, as in life.
    fn owner(&self, draws: &mut Draws) -> &Owner {
        let limit = 1 + draws.below(self.owners.len() as u64);
        let place = usize::try_from(draws.below(limit)).unwrap_or_default();
        &self.owners[place]
    }
}

impl Draws {
    fn next_length(&mut self) -> u64 {
        1 + self.below(USAGE_SECONDS_MAX)
    }

    /// Whole part, digits behind the point, and how many there are, up to 6.
    fn units(&mut self) -> (u64, u64, usize) {
        let whole_digits = u32::try_from(1 + self.below(4)).unwrap_or(1);
        let whole = self.below(10_u64.pow(whole_digits));
        let digits = u32::try_from(self.below(7)).unwrap_or_default();
        (whole, self.below(10_u64.pow(digits)), digits as usize)
    }
}

/// Another description gives other identities: its events are no duplicates of this one's.
fn fingerprint(description: &Description, zone: &str) -> u64 {
    let Description { events, customers, customer, months, until, duplicates, late, invalid, seed } =
        description;
    let [duplicates, late, invalid] = [duplicates, late, invalid].map(|share| share.billionths());
    let text = format!(
        "{events} {customers} {customer} {months} {until} {duplicates} {late} {invalid} {seed} {zone}"
    );
    let hash = Sha256::digest(text);
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// All subscriptions. They follow from the customer's name alone, so every load of a customer uses the same.
fn owners(description: &Description) -> Vec<Owner> {
    let customer = |number: u32| match description.customers {
        1 => description.customer.clone(),
        _ => format!("{}-{number}", description.customer),
    };
    let owner = |(customer, number): (String, u64)| {
        let hash = Sha256::digest(format!("{customer} {number}"));
        let subscription = hex::encode_upper(&hash[..8]);
        let members = format!("\"Customer\":\"{customer}\",\"SubscriptionReference\":\"{subscription}\"");
        Owner { subscription, members }
    };
    let customers = (1..=description.customers).map(customer);
    let subscriptions =
        customers.flat_map(|name| (0..SUBSCRIPTIONS_PER_CUSTOMER).map(move |n| (name.clone(), n)));
    subscriptions.map(owner).collect()
}
