//! The billing time zone, pinned in the database: rows hold billing days, and days of two zones do not mix.

use meterhouse_model::BillingZone;
use serde::Deserialize;

use crate::{Error, Store, crash};

#[derive(Debug, Deserialize, clickhouse::Row)]
struct Pin {
    zone: String,
    /// Microseconds since 1970.
    rules_until: i64,
    rules_hash: String,
}

impl Store {
    /// Pins the zone where none is pinned yet, then checks it.
    pub(crate) async fn pin_zone(&self, zone: &BillingZone) -> Result<(), Error> {
        if self.read_pin().await?.is_none() {
            let now = self.for_reads().query("SELECT toUnixTimestamp64Micro(now64(6))");
            let now: i64 = self.answer(now.fetch_one()).await?;
            let insert = self
                .for_inserts()
                .query(
                    "INSERT INTO billing_zone (zone, rules_until, rules_hash) \
                     SELECT {zone:String}, fromUnixTimestamp64Micro({rules_until:Int64}), {rules_hash:String}",
                )
                .param("zone", zone.name())
                .param("rules_until", now)
                .param("rules_hash", zone.fingerprint(now));
            self.acknowledgement(insert.execute()).await?;
            crash::point("zone_pinned");
        }
        self.check_zone(zone).await
    }

    /// Refuses another zone than the pinned one, and other rules for its past.
    pub(crate) async fn check_zone(&self, zone: &BillingZone) -> Result<(), Error> {
        let Some(pin) = self.read_pin().await? else {
            return Err(Error::Refused(
                "no billing time zone is pinned in this database: run `meterhouse migrate`".into(),
            ));
        };
        if pin.zone != zone.name() {
            return Err(Error::Refused(format!(
                "this database bills in the time zone {}, and billing.time_zone is {}: a change of zone means a new \
                 database and reading the topic again",
                pin.zone,
                zone.name()
            )));
        }
        if pin.rules_hash != zone.fingerprint(pin.rules_until) {
            return Err(Error::Refused(format!(
                "this program has other rules for the past of the time zone {} than the one that made the database: \
                 days would not mean the same",
                pin.zone
            )));
        }
        Ok(())
    }

    async fn read_pin(&self) -> Result<Option<Pin>, Error> {
        let query = self.for_reads().query(
            "SELECT zone, toUnixTimestamp64Micro(rules_until) AS rules_until, rules_hash \
             FROM billing_zone ORDER BY pinned_at, writer LIMIT 1",
        );
        self.answer(query.fetch_optional()).await
    }
}
