//! What the documentation has people do, done: the quick start, and producers in several languages.

mod producers;
mod quick_start;
