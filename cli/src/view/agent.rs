//! How the agent of this machine is, for people and for programs.

use super::out::{inert, line};
use crate::format::Format;
use daemon::Bundle;
use daemon::status::{Status, Told};
use model::Report;

/// All that can be told of it; `now` is in seconds since 1970.
pub fn status(told: &Told, now: u64, format: Format) {
    match format {
        Format::Json => line(&serde_json::json!(told).to_string()),
        Format::Human => lines(told, now).iter().for_each(|text| line(&inert(text))),
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

/// The same as lines.
pub fn lines(told: &Told, now: u64) -> Vec<String> {
    let mut lines = vec![match &told.running {
        Some(by) => format!("running       process {}, since {}", by.pid, by.since),
        None => "not running   `systemctl status evenkeel-agent` tells why; `keel agent install` sets it up"
            .to_owned(),
    }];
    if let Some(pause) = &told.paused {
        lines.push(format!(
            "paused        by {} until {}: {}",
            pause.by,
            daemon::pause::until(pause),
            pause.reason
        ));
    }
    let Some(status) = &told.status else { return lines };
    // Who could not even read its settings knows neither.
    let known = |what: &str, text: &str| (!text.is_empty()).then(|| format!("{what:13} {text}"));
    lines.extend(known("source", &status.source));
    lines.extend(status.bundle.iter().map(|bundle| bundle_line(bundle, now)));
    if let Some(refused) = &status.refused {
        lines.push(format!("not taken     since {}: {}", refused.since, refused.why));
    }
    match (&status.catalog, &status.no_catalog) {
        (Some(version), None) => {
            lines.push(format!("catalog       {version}, {} resources", status.resources))
        }
        (Some(version), Some(why)) => lines.push(format!("catalog       {version} stays in force: {why}")),
        (None, why) => lines.push(format!("no catalog    {}", why.as_deref().unwrap_or("none was read yet"))),
    }
    lines.extend(known("mode", &status.mode));
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
        lines.push(format!("watching      {} directories, {} units", status.directories, status.units));
    }
    let pairs = |word: &str, pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(what, why)| format!("{word:13} {what}: {why}")).collect::<Vec<_>>()
    };
    lines.extend(pairs("not watched", &status.unwatched));
    lines.extend(status.bad_settings.iter().map(|why| format!("bad settings  {why}")));
    lines.extend(pairs("not told", &status.untold));
    lines.extend(status.opens.iter().map(|at| format!("window        opens {at}")));
    lines.extend(left(status));
    lines
}

fn bundle_line(bundle: &Bundle, now: u64) -> String {
    let Bundle { site, counter, sha256, signer, since, .. } = bundle;
    let digest = sha256.get(..12).unwrap_or(sha256);
    let age = u64::try_from(*since).ok().and_then(|since| now.checked_sub(since));
    let age = age.map_or_else(|| "an unknown time".to_owned(), ago);
    format!(
        "bundle        {site}, counter {counter}, sha256 {digest}, signed by {signer}, in force for {age}"
    )
}

/// A span in the largest unit that it has.
fn ago(seconds: u64) -> String {
    let units = [(86400, "d"), (3600, "h"), (60, "min")];
    let unit = units.iter().find(|(length, _)| seconds >= *length);
    unit.map_or_else(|| format!("{seconds} s"), |(length, name)| format!("{} {name}", seconds / length))
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

#[cfg(test)]
mod tests {
    use super::lines;
    use daemon::status::{Status, Told};
    use daemon::{Bundle, Refused};

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let status = Status { bad_settings: Some("no".to_owned()), ..Status::default() };
        let lines = lines(&Told { running: None, paused: None, status: Some(status) }, 0);
        assert_eq!(lines[1..], ["no catalog    none was read yet", "bad settings  no"]);
    }

    #[test]
    fn the_bundle_in_force_and_what_was_not_taken_are_told() {
        let bundle = r#"{"site":"shop","counter":8,"sha256":"0123456789abcdef","signer":"ann","key":"k","since":1000,"from":"/srv"}"#;
        let bundle: Bundle = serde_json::from_str(bundle).expect("it is one");
        let refused = Refused { why: "it is older".to_owned(), since: "then".to_owned() };
        let status = Status { bundle: Some(bundle), refused: Some(refused), ..Status::default() };
        let told = Told { running: None, paused: None, status: Some(status) };
        for (now, age) in
            [(1059, "59 s"), (1060, "1 min"), (8200, "2 h"), (87_400, "1 d"), (999, "an unknown time")]
        {
            let lines = lines(&told, now).join("\n");
            let end = "shop, counter 8, sha256 0123456789ab, signed by ann, in force for";
            assert!(lines.contains(&format!("\nbundle        {end} {age}\n")), "{lines}");
            assert!(lines.contains("\nnot taken     since then: it is older\n"), "{lines}");
        }
    }
}
