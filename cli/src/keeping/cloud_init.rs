//! User-data for cloud-init (cloud-init's reference, "Cloud config data" and its modules Write Files and Runcmd): the files of an agent,
//! and one command that brings `keel` and starts it. The agent's own first look waits until cloud-init has ended, and does the rest.

use super::afar::PROGRAM;
use super::install::{Runs, SERVICE, UNITS, service};
use super::said::{On, settings_text};
use super::verbs::signers;
use crate::commands::agent::Said;
use crate::commands::cloud_init::Args;
use crate::exit::Exit;
use crate::format::Format;
use crate::site::Refusal;
use crate::view;
use anyhow::{anyhow, bail};
use daemon::settings;
use std::path::Path;

/// What brings the program. Python, because cloud-init itself is: an image may have neither curl nor wget.
const BRING: &str = include_str!("bring.py");
/// Where that stands until the next boot.
const SCRIPT: &str = "/run/evenkeel/bring.py";
/// No cloud takes more, in bytes: EC2's limit, the smallest there is.
const MOST: usize = 16 << 10;

/// Prints it.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match user_data(args) {
        Ok(text) => view::text(&text),
        Err(refusal) => return Ok(view::refused(&refusal, Format::Human)),
    }
    Ok(Exit::Fine)
}

fn user_data(args: &Args) -> Result<String, Refusal> {
    let upkeep = &args.upkeep;
    if upkeep.source.is_none() {
        return Err(anyhow!("a new instance has no site of its own: say where it takes bundles, --source PLACE and --name SITE").into());
    }
    let said = Said { upkeep: upkeep.clone(), ..Said::default() };
    let (settings, _) = settings_text(&said, On::There(None), None)?;
    settings::read(settings::PATH, &settings).map_err(Refusal::Diagnostics)?;
    let unit = service(Path::new(PROGRAM), Path::new(settings::PATH), Runs::Always);
    let bring = bring(&args.keel_url, &args.keel_digest)?;
    let mut files = vec![(settings::PATH.to_owned(), "0600", settings)];
    if let Some(path) = &upkeep.allowed_signers {
        files.push((settings::ALLOWED.to_owned(), "0644", signers(path)?));
    }
    files.push((format!("{UNITS}/{SERVICE}"), "0644", unit));
    files.push((SCRIPT.to_owned(), "0600", bring));
    let mut text = "#cloud-config\n# `keel cloud-init` made this: it brings keel, checked by its digest, and an agent that brings the instance to its state.\nwrite_files:\n".to_owned();
    for (path, mode, content) in &files {
        text.push_str(&format!(
            "  - path: {path}\n    permissions: \"{mode}\"\n    content: {}\n",
            scalar(content)
        ));
    }
    let start = format!("systemctl daemon-reload && systemctl enable --now {SERVICE}");
    text.push_str(&format!("runcmd:\n  - [sh, -c, \"python3 {SCRIPT} && {start}\"]\n"));
    match text.len() {
        size if size > MOST => {
            Err(anyhow!("the user-data has {size} bytes, and clouds take {MOST} at most: name fewer signers")
                .into())
        }
        _ => Ok(text),
    }
}

fn bring(url: &str, sha256: &str) -> anyhow::Result<String> {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || !(url.starts_with("https://") || url.starts_with("http://")) {
        bail!("keel is fetched from https:// or http://, and not from `{}`", url.escape_debug());
    }
    let authority = url.split('/').nth(2).unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        bail!("an address of keel names a server, and has no password in it: everybody may read user-data");
    }
    // Strings of JSON are strings of Python, as long as they are plain.
    let text = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let script = BRING.replace("@TO@", &text(PROGRAM)).replace("@SHA256@", &text(sha256));
    Ok(script.replace("@URL@", &text(url)))
}

/// A text as YAML 1.2 has it: as a block (8.1.2) where that can be read back as it is, else as JSON.
fn scalar(text: &str) -> String {
    let is_plain =
        |c: char| c == '\n' || (!c.is_control() && c != '\u{2028}' && c != '\u{2029}' && c != '\u{feff}');
    let is_block = text.ends_with('\n') && !text.ends_with("\n\n") && !text.starts_with([' ', '\n', '\t']);
    if !is_block || !text.chars().all(is_plain) {
        return serde_json::Value::String(text.to_owned()).to_string();
    }
    let lines =
        text.lines().map(|line| if line.is_empty() { String::new() } else { format!("      {line}") });
    format!("|\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{bring, scalar};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::process::Command;

    #[test]
    fn texts_are_blocks_where_they_can_be() {
        for (text, wanted) in [
            ("a: b\n\n  # c\n", "|\n      a: b\n\n        # c"),
            (" a\n", "\" a\\n\""),
            ("a", "\"a\""),
            ("a\n\n", "\"a\\n\\n\""),
            ("a\tb\n", "\"a\\tb\\n\""),
        ] {
            assert_eq!(scalar(text), wanted);
        }
    }

    #[test]
    fn keel_comes_from_the_web_alone() {
        let script = bring("https://example.org/\"keel", "aa").expect("it is an address");
        assert!(
            script.contains(
                "URL = \"https://example.org/\\\"keel\"\nSHA256 = \"aa\"\nTO = \"/usr/local/bin/keel\"\n"
            ),
            "{script}"
        );
        for url in [
            "file:///etc/passwd",
            "ftp://example.org/keel",
            "https://example.org/a b",
            "keel",
            "https://",
            "https://ann:hunter2@example.org/keel",
        ] {
            let told = bring(url, "aa").expect_err(url).to_string();
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    /// Gives everybody who asks a program of that many bytes; where.
    fn server(bytes: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}/keel", listener.local_addr().expect("it has one"));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody calls");
                assert!(stream.read(&mut [0; 4096]).expect("a request") > 0);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
                // Who has had enough hangs up.
                stream.write_all(&[head.as_bytes(), &vec![b'x'; bytes]].concat()).ok();
            }
        });
        address
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "starts what an instance starts")]
    fn keel_is_brought_whole_or_not_at_all_and_has_a_bound() {
        let dir = tempfile::tempdir().expect("a directory");
        let to = dir.path().join("keel");
        for (bytes, why) in [(100, ""), (101, "it has more than 100 bytes")] {
            let digest = model::Digest::of(&vec![b'x'; bytes]).to_string();
            let script = bring(&server(bytes), &digest).expect("it is an address");
            let script = script.replace("/usr/local/bin/keel", &to.to_string_lossy());
            let script = script.replace("MOST = 1 << 30", "MOST = 100");
            let mut python = Command::new("python3");
            let output = python.args(["-c", &script]).env("no_proxy", "*").output().expect("there is Python");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((output.status.success(), told.contains(why)), (why.is_empty(), true), "{told}");
            assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 1, "what came first stays");
            assert_eq!(std::fs::metadata(&to).expect("it is there").len(), 100);
        }
    }
}
