//! The usages of a subscription, in the shapes of 2Checkout's REST API 6.0.

mod credentials;
mod signature;
