//! The documented APIs: as the vendors' own clients see them, by the examples of the vendors' documents, and by our own.

mod bill;
mod docs;
mod examples;
mod openapi;
mod usages;
