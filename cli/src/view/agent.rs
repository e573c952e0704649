//! How the agent of this machine is, for people and for programs.

use super::out::{inert, line};
use crate::format::Format;
use daemon::status::{Status, Told};
use model::Report;

/// All that can be told of it.
pub fn status(told: &Told, format: Format) {
    match format {
        Format::Json => line(&serde_json::json!(told).to_string()),
        Format::Human => lines(told).iter().for_each(|text| line(&inert(text))),
    }
}

/// What came of looking once.
pub fn looked(report: &Report, status: &Status, format: Format) {
    if format == Format::Json {
        let (drift, held) = (&status.drift, &status.held);
        return line(
            &serde_json::json!({ "event": "report", "report": report, "drift": drift, "held": held })
                .to_string(),
        );
    }
    left(status).iter().for_each(|text| line(&inert(text)));
    line(&sum(report));
}

fn sum(report: &Report) -> String {
    let Report { changed, unchanged, failed, skipped, unknown, .. } = report;
    let bad = failed + unknown;
    format!("{changed} changed, {unchanged} as desired, {bad} failed, {skipped} skipped")
}

fn lines(told: &Told) -> Vec<String> {
    let mut lines = vec![match &told.running {
        Some(by) => format!("running       process {}, since {}", by.pid, by.since),
        None => "not running   `systemctl status evenkeel-agent` tells why; `keel agent install` sets it up"
            .to_owned(),
    }];
    if let Some(pause) = &told.paused {
        lines.push(format!("paused        by {} until {}: {}", pause.by, until(pause), pause.reason));
    }
    let Some(status) = &told.status else { return lines };
    lines.push(format!("source        {}", status.source));
    match (&status.catalog, &status.no_catalog) {
        (Some(version), None) => {
            lines.push(format!("catalog       {version}, {} resources", status.resources))
        }
        (Some(version), Some(why)) => lines.push(format!("catalog       {version} stays in force: {why}")),
        (None, why) => lines.push(format!("no catalog    {}", why.as_deref().unwrap_or("none was read yet"))),
    }
    lines.push(format!("mode          {}", status.mode));
    if let Some(last) = &status.last {
        let cause = serde_json::json!(last.cause);
        let cause = cause.as_str().unwrap_or_default().to_owned();
        lines.push(format!("last look     {} ({cause}): {}, {} ms", last.at, sum(&last.report), last.millis));
        lines.extend(last.trouble.iter().map(|why| format!("trouble       {why}")));
    }
    if told.running.is_some() {
        lines.extend(
            status.next.iter().map(|next| format!("next look     {next}, or when something happens")),
        );
    }
    lines.push(format!("watching      {} directories, {} units", status.directories, status.units));
    let pairs = |word: &str, pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(what, why)| format!("{word:13} {what}: {why}")).collect::<Vec<_>>()
    };
    lines.extend(pairs("not watched", &status.unwatched));
    lines.extend(pairs("not told", &status.untold));
    lines.extend(status.opens.iter().map(|at| format!("window        opens {at}")));
    lines.extend(left(status));
    lines
}

fn left(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, drift) in &status.drift {
        lines.push(format!("drift         {id} since {}, {}", drift.since, drift.left));
        lines.extend(drift.changes.iter().map(|change| format!("              {change}")));
    }
    lines.extend(status.held.iter().map(|(id, why)| format!("waits         {id}: {why}")));
    lines.extend(status.failing.iter().map(|(id, why)| format!("failing       {id}: {why}")));
    for (id, fight) in &status.fights {
        lines.push(format!("fight         {id} is left alone until {}: {}", fight.until, fight.other));
    }
    lines
}

fn until(pause: &daemon::pause::Pause) -> String {
    pause.until().map_or_else(|| "an unknown time".to_owned(), |until| format!("{until:.0}"))
}
