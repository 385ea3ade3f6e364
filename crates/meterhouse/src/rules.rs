//! The rules of a verdict, which change when a file does that a strict key asks for.

use std::sync::Arc;

use meterhouse_model::{Catalog, Registry, Rules};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::files::Files;

/// Where the rules come from.
pub(crate) struct RuleSource {
    rules: Rules,
    is_strict_subscription: bool,
    is_strict_option: bool,
    subscriptions: watch::Receiver<Arc<Registry>>,
    catalog: watch::Receiver<Arc<Catalog>>,
}

impl RuleSource {
    pub(crate) fn new(config: &Config, files: &Files) -> Self {
        Self {
            rules: config.ingest.rules(Arc::clone(&config.billing.zone)),
            is_strict_subscription: config.ingest.require_known_subscription,
            is_strict_option: config.ingest.require_known_option,
            subscriptions: files.subscriptions(),
            catalog: files.catalog(),
        }
    }

    /// The rules with the files as they are now.
    pub(crate) fn current(&mut self) -> Arc<Rules> {
        let subscriptions = Arc::clone(&self.subscriptions.borrow_and_update());
        let catalog = Arc::clone(&self.catalog.borrow_and_update());
        Arc::new(Rules {
            known_subscription: self.is_strict_subscription.then_some(subscriptions),
            known_option: self.is_strict_option.then_some(catalog),
            ..self.rules.clone()
        })
    }

    /// Keeps the rules up to date until the shutdown.
    pub(crate) async fn watch(mut self, rules: watch::Sender<Arc<Rules>>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Ok(()) = self.subscriptions.changed() => {}
                Ok(()) = self.catalog.changed() => {}
                else => return,
            }
            rules.send_replace(self.current());
        }
    }
}
