//! A process that dies before it has taken back what a request alone had that lost its key.

use std::thread;

use anyhow::Result;
use meterhouse_tests::usages::{Usages, usage};
use meterhouse_tests::{Site, Token, wait};
use serde_json::json;

use super::TOKEN;

#[test]
fn what_a_dead_process_has_left_behind_is_taken_back_by_another() -> Result<()> {
    let mut site = Site::new("usages_left_behind")?;
    site.write_credentials(&[Token::new("mh_test"), Token::for_usages(TOKEN, &["*"])])?;
    site.set("http.listen", "127.0.0.1:0")?;
    site.set("metrics.listen", "127.0.0.1:0")?;
    site.set("api.visible_wait_ms", 60_000)?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut dying = site.start(&["api"], "dying")?;
    let mut winning = site.start(&["api"], "winning")?;
    dying.wait_ready()?;
    winning.wait_ready()?;
    let records = |count: usize| {
        wait::until_is(&format!("{count} records"), || site.log(), |log| log.len() == count).map(|_| ())
    };
    let first = json!([usage("cpu", "10:00:00", 1)]);
    let second =
        json!([usage("cpu", "10:00:00", 10), usage("cpu", "11:00:00", 100), usage("ram", "12:00:00", 1000)]);
    // Nobody reads the topic yet: both look the key up, and find that nobody has it.
    thread::scope(|scope| {
        let winner = scope.spawn(|| Usages::new(winning.client(), TOKEN).save("S", &first, Some("k")));
        records(1)?;
        let client = dying.client();
        let loser = scope.spawn(move || Usages::new(client, TOKEN).save("S", &second, Some("k")));
        records(2)?;
        dying.kill()?;
        assert!(loser.join().unwrap().is_err(), "its process is gone");
        let mut service = site.start(&["serve"], "serve")?;
        service.wait_ready()?;
        assert_eq!(winner.join().unwrap()?.status, 200);
        let usages = Usages::new(service.client(), TOKEN);
        let left = wait::until_is("one usage to be left", || usages.all("S"), |left| left.len() == 1)?;
        assert_eq!(left[0]["Units"], json!(1));
        service.terminate()?;
        Ok(())
    })
}
