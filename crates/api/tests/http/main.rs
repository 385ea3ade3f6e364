//! The routes and the listener as a client sees them, without any server behind.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod anything;
mod checkout;
mod common;
mod connections;
mod health;
mod limits;
mod openapi;
mod placewise;
mod running;
mod shutdown;
mod store;
mod tls;
mod ui;
