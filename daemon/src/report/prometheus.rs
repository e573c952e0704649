//! Metrics for the textfile collector of Prometheus' node exporter, in the exposition format, version 0.0.4. The whole file is put anew
//! each time, so that nobody reads half of it.

use super::{Reporter, Told, What};
use crate::status::Status;
use agent::os::Expect;
use agent::os::atomic_write::{Keep, Target, WhenBusy, atomic_write};
use model::Failure;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

/// A file of metrics.
pub struct Prometheus(pub PathBuf);

impl Reporter for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn tell(&mut self, told: &Told, status: &Status) -> Result<(), Failure> {
        let is_counted =
            matches!(told.what, What::Looked { .. } | What::NoCatalog { .. } | What::Paused { .. });
        if !is_counted && !matches!(told.what, What::Bundle { .. } | What::Refused { .. }) {
            return Ok(());
        }
        let text = metrics(status);
        let mut temp = std::ffi::OsString::from(".");
        temp.push(self.0.file_name().unwrap_or_default());
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let target = Target {
            path: &self.0,
            temp_name: &temp,
            uid,
            gid,
            mode: 0o644,
            keep: Keep::Inherited,
            expect: Expect::Anything,
            busy: WhenBusy::Refuse,
        };
        Ok(atomic_write(&target, &mut Cursor::new(text.as_bytes()), None).map(|_| ())?)
    }
}

/// The metrics of a status.
fn metrics(status: &Status) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, values: &[(String, f64)]| {
        text.push_str(&format!("# HELP evenkeel_{name} {help}\n# TYPE evenkeel_{name} gauge\n"));
        values
            .iter()
            .for_each(|(labels, value)| text.push_str(&format!("evenkeel_{name}{labels} {value}\n")));
    };
    let one = |value: f64| vec![(String::new(), value)];
    if let Some(last) = &status.last {
        let at = last.at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
        let report = &last.report;
        gauge("last_run_timestamp_seconds", "When the agent last looked.", &one(at as f64));
        gauge("last_run_duration_seconds", "How long that took.", &one(last.millis as f64 / 1000.0));
        let counts = [
            ("changed", report.changed),
            ("unchanged", report.unchanged),
            ("failed", report.failed),
            ("skipped", report.skipped),
            ("unknown", report.unknown),
        ];
        let counts = counts.map(|(name, count)| (format!("{{status=\"{name}\"}}"), count as f64));
        gauge("resources", "Resources of the last look by how they ended.", &counts);
    }
    let mut kinds: BTreeMap<&str, f64> = BTreeMap::new();
    status.drift.keys().for_each(|id| *kinds.entry(id.kind()).or_default() += 1.0);
    let kinds: Vec<_> =
        kinds.into_iter().map(|(kind, count)| (format!("{{kind=\"{kind}\"}}"), count)).collect();
    gauge("drifted", "Resources that somebody else changed and that are left so, by kind.", &kinds);
    gauge("drifted_total", "All of these.", &one(status.drift.len() as f64));
    gauge("failing", "Resources that could not be told or put right.", &one(status.failing.len() as f64));
    gauge("held", "Intended changes that wait.", &one(status.held.len() as f64));
    gauge(
        "fights",
        "Resources that are left alone because they are fought over.",
        &one(status.fights.len() as f64),
    );
    gauge("corrections", "Corrections of drift since the agent began.", &one(status.corrections as f64));
    gauge("unwatched", "Things that should be watched and are not.", &one(status.unwatched.len() as f64));
    let troubles = one(troubles(status) as f64);
    gauge(
        "troubles",
        "A look that did not come to its end, a catalog, a bundle or settings that cannot be used: how many of these.",
        &troubles,
    );
    let version = status.catalog.clone().unwrap_or_default();
    gauge("catalog_info", "The catalog in force.", &[(format!("{{version=\"{version}\"}}"), 1.0)]);
    if let Some(bundle) = &status.bundle {
        gauge("bundle_counter", "The counter of the bundle in force.", &one(bundle.counter as f64));
        let since = one(bundle.since as f64);
        gauge("bundle_since_timestamp_seconds", "When it was put in force.", &since);
        let refused = one(f64::from(u8::from(status.refused.is_some())));
        gauge(
            "bundle_refused",
            "Whether no newer one was taken: one was refused, or none could be had.",
            &refused,
        );
    }
    text
}

/// How many things keep the agent from what it is there for.
fn troubles(status: &Status) -> usize {
    let looked = status.last.iter().filter(|last| !last.is_locked).filter_map(|last| last.trouble.as_ref());
    let refused = status.refused.iter().map(|refused| &refused.why);
    looked.chain(refused).chain(&status.no_catalog).chain(&status.bad_settings).count()
}

#[cfg(test)]
mod tests {
    use super::metrics;
    use crate::memory::Drift;
    use crate::report::Cause;
    use crate::source::{Bundle, Refused};
    use crate::status::{Last, Status};
    use model::{Id, Report};

    fn bundle() -> Bundle {
        let (site, sha256, signer, key, from) = Default::default();
        Bundle { site, counter: 1_795_300_427, sha256, signer, key, since: 1_767_355_100, from }
    }

    fn status() -> Status {
        let drift = Drift { since: String::new(), changes: Vec::new(), left: String::new() };
        let report = Report { unchanged: 7, changed: 1, ..Report::default() };
        let at = "2026-01-02T12:00:00Z".to_owned();
        Status {
            last: Some(Last { at, cause: Cause::Event, report, millis: 42, trouble: None, is_locked: false }),
            drift: ["/a", "/b"].map(|name| (Id::new("file", name), drift.clone())).into(),
            catalog: Some("abc".into()),
            no_catalog: Some("it does not compile".into()),
            bundle: Some(bundle()),
            refused: Some(Refused { why: "older".into(), since: String::new() }),
            ..Status::default()
        }
    }

    #[test]
    fn metrics_tell_what_the_status_tells() {
        let text = metrics(&status());
        for line in [
            "# TYPE evenkeel_drifted gauge",
            "evenkeel_drifted{kind=\"file\"} 2",
            "evenkeel_last_run_timestamp_seconds 1767355200",
            "evenkeel_last_run_duration_seconds 0.042",
            "evenkeel_resources{status=\"unchanged\"} 7",
            "evenkeel_troubles 2",
            "evenkeel_catalog_info{version=\"abc\"} 1",
            "evenkeel_bundle_counter 1795300427",
            "evenkeel_bundle_since_timestamp_seconds 1767355100",
            "evenkeel_bundle_refused 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
