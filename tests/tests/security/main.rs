//! Who may reach what: TLS on every way, users of ClickHouse and Kafka with the rights that the documentation tells of and
//! no others, secrets that are nowhere, and a line for each write.

mod access;
mod audit;
mod clickhouse;
mod kafka;
mod listener;
mod secrets;
mod world;
