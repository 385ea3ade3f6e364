//! Facts and rules of usage metering: what a usage event is, what is wrong with a record that is not one, exact
//! decimals, identities and versions, billing days and months, and the two files that are looked up when usage is read.
//!
//! Nothing in here does any input or output, reads a clock or waits. [`parse()`] turns the bytes of a Kafka record into
//! [`Event`]s or a [`Reject`]; its verdict depends on the record and the [`Rules`] alone.

mod catalog;
mod currency;
mod day;
mod decimal;
mod envelope;
mod event;
mod identity;
mod instant;
mod json;
mod load;
mod month;
mod name;
mod origin;
mod parse;
mod quantity;
mod record;
mod registry;
mod reject;
mod rules;
mod scan;
mod table;
mod version;
mod zone;

pub use catalog::{Catalog, CatalogOption, Price};
pub use currency::Currency;
pub use day::Day;
pub use decimal::{Units, UnitsError};
pub use event::{Change, Event};
pub use identity::{Identity, IdentityHash};
pub use instant::{TimeError, parse_instant};
pub use load::{LoadError, Problem};
pub use month::Month;
pub use parse::{Events, parse};
pub use quantity::Quantity;
pub use record::{CloudEventHeaders, Record};
pub use registry::{Interval, Ownership, Registry};
pub use reject::{Reason, Reject};
pub use rules::Rules;
pub use version::Version;
pub use zone::{BillingZone, Gap, UnknownZone};
