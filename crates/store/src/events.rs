//! A batch of usage events: columns as they arrive, sorted and encoded once when the batch closes.

mod encode;

use std::mem;
use std::sync::Arc;

use meterhouse_model::{Event, IdentityHash, Record};

use crate::{
    RecentCopies, Sources, Tombstone, dictionary::Dictionary, hash::content_hash, identities::seal_suspects,
    spare::Spare, texts::Texts, write::SealedEvents,
};

pub(crate) use encode::pick;

/// Microseconds of a UTC day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// Bytes of a row and of its evidence, without strings.
const FIXED_ROW_BYTES: usize = 220;

/// Usage events on their way to the table, a vector for each column.
#[derive(Debug, Default)]
pub struct EventBatch {
    pub(crate) customers: Dictionary,
    pub(crate) subscriptions: Dictionary,
    pub(crate) option_codes: Dictionary,
    pub(crate) topics: Dictionary,
    /// Encoded, each row spells out its subscription.
    subscription_bytes: usize,
    /// By the number of a subscription, the customer that an event of it has named.
    last_customer: Vec<u32>,
    pub(crate) customer: Vec<u32>,
    pub(crate) subscription: Vec<u32>,
    pub(crate) option_code: Vec<u32>,
    pub(crate) topic: Vec<u32>,
    identity: Texts,
    description: Texts,
    origin: Texts,
    usage_start: Vec<i64>,
    usage_end: Vec<i64>,
    pub(crate) billed_at: Vec<i64>,
    billing_day: Vec<i32>,
    units: Vec<i128>,
    renewal_order_reference: Vec<u64>,
    pub(crate) identity_hash: Vec<IdentityHash>,
    pub(crate) content_hash: Vec<u64>,
    revision: Vec<u32>,
    pub(crate) partition: Vec<i32>,
    pub(crate) offset: Vec<i64>,
    pub(crate) index: Vec<u16>,
    pub(crate) record_time: Vec<i64>,
    pub(crate) version: Vec<u128>,
    is_deleted: Vec<u8>,
    /// For the encoded events and evidence.
    encoded: Spare,
    pub(crate) encoded_evidence: Spare,
}

impl EventBatch {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.version.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.version.is_empty()
    }

    /// Bytes of memory that the batch takes, roughly. Encoded it takes about as many again.
    pub fn bytes(&self) -> usize {
        let dictionaries = [&self.customers, &self.subscriptions, &self.option_codes, &self.topics];
        self.len() * FIXED_ROW_BYTES
            + self.text_bytes()
            + dictionaries.iter().map(|d| d.bytes()).sum::<usize>()
    }

    /// Bytes of all strings that each encoded row spells out.
    fn text_bytes(&self) -> usize {
        let texts = [&self.identity, &self.description, &self.origin];
        self.subscription_bytes + texts.iter().map(|texts| texts.bytes()).sum::<usize>()
    }

    /// Adds an event of a record.
    pub fn push(&mut self, event: &Event<'_>, record: &Record<'_>) {
        let subscription = self.subscriptions.intern(event.subscription.as_bytes());
        let customer = self.customer_of(subscription, event.customer.as_bytes());
        let option_code = self.option_codes.intern(event.option_code.as_bytes());
        let (customer_hash, option_hash) =
            (self.customers.hash(customer), self.option_codes.hash(option_code));
        self.content_hash.push(content_hash(event, customer_hash, option_hash));
        self.customer.push(customer);
        self.subscription.push(subscription);
        self.subscription_bytes += event.subscription.len();
        self.option_code.push(option_code);
        self.topic.push(self.topics.intern(record.topic.as_bytes()));
        let identity = self.identity.push_with(|bytes| event.identity.write_to(bytes));
        self.identity_hash.push(IdentityHash::of(&event.subscription, identity));
        self.description.push(event.description.as_bytes());
        self.origin.push(event.origin.as_deref().unwrap_or_default().as_bytes());
        self.usage_start.push(event.start);
        self.usage_end.push(event.end);
        self.billed_at.push(event.billed_at);
        self.billing_day.push(event.billing_day.0);
        self.units.push(event.units.0);
        self.renewal_order_reference.push(event.renewal_order_reference.unwrap_or_default());
        self.revision.push(event.revision());
        self.partition.push(record.partition);
        self.offset.push(record.offset);
        self.index.push(event.index);
        self.record_time.push(record.timestamp_ms.unwrap_or_default());
        self.version.push(event.version(record).0);
        self.is_deleted.push(u8::from(event.is_deleted()));
    }

    /// The number of a customer. Nearly always it is the one that the subscription's last event named.
    fn customer_of(&mut self, subscription: u32, name: &[u8]) -> u32 {
        let place = subscription as usize;
        if let Some(&last) = self.last_customer.get(place)
            && self.customers.get(last) == name
        {
            return last;
        }
        let customer = self.customers.intern(name);
        if self.last_customer.len() <= place {
            self.last_customer.resize(place + 1, customer);
        }
        self.last_customer[place] = customer;
        customer
    }

    /// Adds a row that takes an event away from a key where no copy of it counts. The batch must hold nothing else.
    pub(crate) fn push_tombstone(&mut self, tombstone: &Tombstone) {
        let Tombstone { row, winner } = tombstone;
        self.content_hash.push(0);
        self.customer.push(self.customers.intern(row.customer.as_bytes()));
        self.subscription.push(self.subscriptions.intern(row.subscription.as_bytes()));
        self.subscription_bytes += row.subscription.len();
        self.option_code.push(self.option_codes.intern(row.option_code.as_bytes()));
        self.topic.push(self.topics.intern(winner.topic.as_bytes()));
        self.identity.push(row.identity.as_bytes());
        self.identity_hash.push(winner.identity_hash);
        self.description.push(&[]);
        self.origin.push(&[]);
        self.usage_start.push(row.billed_at);
        self.usage_end.push(row.billed_at);
        self.billed_at.push(row.billed_at);
        self.billing_day.push(row.billing_day);
        self.units.push(0);
        self.renewal_order_reference.push(0);
        self.revision.push(winner.version.revision());
        self.partition.push(winner.partition);
        self.offset.push(winner.offset);
        self.index.push(winner.index);
        self.record_time.push(winner.record_time);
        self.version.push(winner.version.0);
        self.is_deleted.push(1);
    }

    /// Sorts the batch by the table's key and encodes it, with the marks and the evidence that go with it. `None` where
    /// it is empty. It is empty afterwards, and keeps its memory for the events that are next.
    pub fn seal(&mut self) -> Option<SealedEvents> {
        self.seal_as(|batch, sealed| sealed.identities = Some(batch.seal_identities(&batch.evidence())))
    }

    /// The same, and looks for copies among the events and those that were seen before.
    pub fn seal_among(&mut self, recent: &mut RecentCopies) -> Option<SealedEvents> {
        self.seal_as(|batch, sealed| {
            let evidence = batch.evidence();
            let sighted = batch.compare(&evidence, recent);
            sealed.identities = Some(batch.seal_identities(&evidence));
            sealed.suspects = seal_suspects(&sighted.suspects);
            sealed.duplicates = sighted.duplicates;
        })
    }

    /// The same, and suspects every identity: for whoever does not know what else is stored, or is on its way.
    pub fn seal_suspecting_all(&mut self) -> Option<SealedEvents> {
        self.seal_as(|batch, sealed| {
            let evidence = batch.evidence();
            sealed.identities = Some(batch.seal_identities(&evidence));
            sealed.suspects = seal_suspects(&batch.identities(&evidence));
        })
    }

    /// Tombstones have no evidence of their own: they are no copies.
    pub(crate) fn seal_tombstones(&mut self) -> Option<SealedEvents> {
        self.seal_as(|_, _| {})
    }

    fn seal_as(&mut self, add: impl FnOnce(&Self, &mut SealedEvents)) -> Option<SealedEvents> {
        if self.is_empty() {
            return None;
        }
        let order = self.order();
        let (marks, events) = (self.marks(&order), self.seal_events(&order));
        let mut sealed = SealedEvents {
            marks,
            events,
            identities: None,
            suspects: None,
            duplicates: 0,
            sources: Arc::default(),
        };
        add(self, &mut sealed);
        sealed.sources = Arc::new(self.take_sources());
        self.clear();
        Some(sealed)
    }

    fn take_sources(&mut self) -> Sources {
        Sources {
            partition: mem::take(&mut self.partition),
            offset: mem::take(&mut self.offset),
            record_time: mem::take(&mut self.record_time),
            revision: mem::take(&mut self.revision),
            is_deleted: mem::take(&mut self.is_deleted),
        }
    }

    /// Takes all events out and keeps the memory. To get that anew for each batch, page by page, is a tenth of the cost of one.
    fn clear(&mut self) {
        let Self {
            customers,
            subscriptions,
            option_codes,
            topics,
            subscription_bytes,
            last_customer,
            customer,
            subscription,
            option_code,
            topic,
            identity,
            description,
            origin,
            usage_start,
            usage_end,
            billed_at,
            billing_day,
            units,
            renewal_order_reference,
            identity_hash,
            content_hash,
            revision,
            partition,
            offset,
            index,
            record_time,
            version,
            is_deleted,
            encoded: _,
            encoded_evidence: _,
        } = self;
        [customers, subscriptions, option_codes, topics].into_iter().for_each(Dictionary::clear);
        *subscription_bytes = 0;
        for numbers in [last_customer, customer, subscription, option_code, topic, revision] {
            numbers.clear();
        }
        [identity, description, origin].into_iter().for_each(Texts::clear);
        for numbers in [usage_start, usage_end, billed_at, offset, record_time] {
            numbers.clear();
        }
        billing_day.clear();
        partition.clear();
        units.clear();
        renewal_order_reference.clear();
        content_hash.clear();
        identity_hash.clear();
        index.clear();
        version.clear();
        is_deleted.clear();
    }

    /// The tagged text of a row's identity.
    pub(crate) fn identity_text(&self, row: usize) -> &[u8] {
        self.identity.get(row)
    }
}

/// Days since 1970 in UTC, as the table's key computes them.
#[expect(clippy::cast_possible_truncation, reason = "an instant is between the years 1970 and 2200")]
pub(crate) fn utc_date(micros: i64) -> i32 {
    micros.div_euclid(DAY_MICROS) as i32
}
