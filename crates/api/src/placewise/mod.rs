//! `GET /v1/billing/service_usage/history`: the monthly history of one customer.
//!
//! # Order of checks
//!
//! A request with several faults gets the first of these answers, and no more work is done for it:
//!
//! 1. 470 and 471, header by header: without them it is not clear what is asked, and by whom it may be.
//! 2. 400, 408 and 413: the body. It is read before anything is known of the sender, so its size and time are bounded.
//! 3. 401: no token, an unknown one, or one that is not for this product, club or customer. One body for all of them
//!    but the first, so that nobody can find out which customers there are.
//! 4. 471 again: a club and a customer that disagree. Only a verified token says whose club it is.
//! 5. 403 and 402: the token's permit, then the club's feature. Only who is known is told what is missing.
//! 6. 429: only requests that may have an answer count towards the principal's limit, those of strangers cannot use
//!    it up.
//! 7. 422: the parameters, all wrong ones at once.
//! 8. 503: the answer cannot be had in full, or not within a minute, or not begun within five seconds because of others.

mod body;
mod context;
mod history;
mod parameters;
mod refusal;

pub(crate) use history::{PATH, show};
