//! The whole service on real servers, which all tests of this binary share: each has a topic, a group and a database of
//! its own.

mod access;
mod bill;
mod edges;
mod envelopes;
mod files;
mod focus;
mod http;
mod identity;
mod ledger;
mod limits;
mod load;
mod mirror;
mod odd_requests;
mod oracle;
mod other_logs;
mod processes;
mod quarantine;
mod records;
mod refused;
mod resume;
mod rollup;
mod start;
mod usages;
mod verify;
