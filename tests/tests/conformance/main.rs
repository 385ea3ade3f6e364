//! The documented APIs, as the vendors' own clients see them.

mod bill;
