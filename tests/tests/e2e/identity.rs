//! Copies of one event: duplicates, conflicts and changes, in every order, wherever and whenever they come.

mod again;
mod changes;
mod collisions;
mod copies;
mod duplicates;
mod orders;
mod raw;
