//! How many requests a principal may make.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Principal;
use super::credentials::TokenDigest;

/// Limits each principal to a number of requests per second. Cheap to clone; all clones are one.
///
/// The key is a verified credential, never a client's text: what is kept grows with the number of credentials, not of requests.
#[derive(Debug, Clone)]
pub struct RateLimit {
    limiter: Option<(NonZeroU32, Arc<DefaultKeyedRateLimiter<TokenDigest>>)>,
}

/// The limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// How many requests a second are let through.
    pub(crate) per_second: u32,
    /// Whole seconds after which a request will be let through again; at least 1.
    pub(crate) retry_after_seconds: u64,
}

impl RateLimit {
    /// A limit of so many requests per second, of which `burst` may come at once. A rate of 0 is no limit, a burst of
    /// 0 the same number as the rate.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|rate| {
            let quota = Quota::per_second(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate));
            (rate, Arc::new(RateLimiter::keyed(quota)))
        });
        Self { limiter }
    }

    /// Counts a request of the principal, or refuses it.
    pub(crate) fn check(&self, principal: &Principal) -> Result<(), TooMany> {
        let Some((rate, limiter)) = &self.limiter else { return Ok(()) };
        limiter.check_key(&principal.key()).map_err(|refused| {
            let wait = refused.wait_time_from(limiter.clock().now());
            let started = u64::from(wait.subsec_nanos() > 0);
            TooMany { per_second: rate.get(), retry_after_seconds: (wait.as_secs() + started).max(1) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limit: &RateLimit, tries: usize) -> usize {
        (0..tries).filter(|_| limit.check(&Principal::Insecure).is_ok()).count()
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(taken(&RateLimit::new(0, 0), 1_000), 1_000);
        assert_eq!(taken(&RateLimit::new(0, 5), 1_000), 1_000);
    }

    #[test]
    fn the_burst_is_what_may_come_at_once() {
        assert_eq!(taken(&RateLimit::new(1, 3), 10), 3);
        assert_eq!(taken(&RateLimit::new(2, 0), 10), 2);
        let limit = RateLimit::new(1, 1);
        assert_eq!(limit.check(&Principal::Insecure), Ok(()));
        assert_eq!(
            limit.clone().check(&Principal::Insecure),
            Err(TooMany { per_second: 1, retry_after_seconds: 1 })
        );
    }
}
