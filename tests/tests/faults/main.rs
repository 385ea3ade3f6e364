//! Faults of the servers, each on servers of its own: down at the start, killed in the middle of a load, held up for
//! longer than every time-out. Whatever happens, the process goes on by itself and the sums are exact.

mod clickhouse;
mod cluster;
mod disk;
mod kafka;
mod lost_tail;
mod rebalance;
mod rig;
mod storm;
mod sweep;
mod usages;
mod wire;
