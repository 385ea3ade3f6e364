//! What the documentation has people do, done: the quick start, producers in several languages, a restored backup.

mod backup;
mod producers;
mod quick_start;
