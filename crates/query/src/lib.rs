//! Answers about usage: what a customer has used, month by month.
//!
//! [`History`] reads the sums from the store, and the catalog and the registry of subscriptions as they are at that
//! moment. The rules of the report itself are one function without IO, in `months`. [`rollup`] keeps the sums by day, which
//! most of a history is made of.

mod charges;
mod customer;
mod history;
mod months;
mod range;
pub mod rollup;
mod usages;

pub use charges::Charge;
pub use customer::CustomerId;
pub use history::{Error, History};
pub use months::{MonthUsage, ServiceUsage};
pub use range::{MAX_FROM_OFFSET, Range};
pub use usages::{Customers, Subscription, Usages};
