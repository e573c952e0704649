//! The kinds of files on the file system of this machine, in a scratch directory: set up and checked with plain shell, never
//! with our own probe. Scenes are data, `tests/cases/real/files.toml`.

#![cfg(target_os = "linux")]

use agent::kind::Resource;
use agent::kinds::ALL;
use agent::os::host::Host;
use agent::system::{Attempt, System};
use model::{Failure, Step};
use serde::Deserialize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use wire::NoBlobs;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    scene: Vec<Scene>,
}

/// Shell runs in the scratch directory; `@` in what is desired stands for its path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    name: String,
    /// Shell that has to succeed for the scene to be tried at all, such as `[ $(id -u) = 0 ]`.
    #[serde(default)]
    needs: String,
    #[serde(default)]
    setup: String,
    /// `KIND.NAME = { … }`, applied in the order of the text's lines.
    desired: Vec<String>,
    /// Words of the failure, where it has to fail.
    fails: Option<String>,
    /// Shell that has to succeed in the end.
    check: String,
    #[serde(default)]
    cleanup: String,
}

#[expect(clippy::disallowed_methods, reason = "scenes are set up and checked by plain shell")]
fn sh(dir: &Path, script: &str) -> (bool, String) {
    let mut command = std::process::Command::new("sh");
    let out = command.args(["-ec", script]).current_dir(dir).env("LC_ALL", "C").output().expect("sh runs");
    let said = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn resources(scene: &Scene, dir: &Path) -> Vec<Box<dyn Resource>> {
    let dir = std::str::from_utf8(dir.as_os_str().as_bytes()).expect("a scratch directory has a plain name");
    let one = |text: &String| {
        let table: toml::Table = text.replace('@', dir).parse().expect("TOML");
        let (word, named) = table.iter().next().expect("a kind");
        let (name, params) = named.as_table().and_then(|named| named.iter().next()).expect("a name");
        let kind = ALL.iter().find(|kind| kind.name() == word).expect("a kind that is there");
        kind.decode(name, &serde_json::to_value(params).expect("JSON")).expect("it is valid")
    };
    scene.desired.iter().map(one).collect()
}

fn apply(host: &Host, resources: &[Box<dyn Resource>]) -> Result<Vec<Step>, Failure> {
    let mut done = Vec::new();
    for resource in resources {
        for step in resource.plan(host)? {
            host.execute(&step.op, &Attempt { tag: "scene".to_owned(), timeout: None })?;
            done.push(step);
        }
    }
    Ok(done)
}

/// What is wrong with how the scene ends; nothing where all is well or the machine cannot play it.
fn play(scene: &Scene) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let dir = scratch.path();
    if !sh(dir, &scene.needs).0 {
        return Ok(());
    }
    let run = |script: &str| match sh(dir, script) {
        (true, said) => Ok(said),
        (false, said) => Err(format!("`{script}` fails: {said}")),
    };
    run(&scene.setup)?;
    let resources = resources(scene, dir);
    let outcome = apply(&Host::new(Arc::new(NoBlobs)), &resources);
    let ends = judge(scene, outcome)
        .and_then(|()| run(&scene.check))
        .and_then(|_| run("test -z \"$(find . -name '*.keel-*')\""))
        .and_then(|_| if scene.fails.is_none() { settled(&resources, run) } else { Ok(()) });
    run(&scene.cleanup)?;
    ends
}

fn judge(scene: &Scene, outcome: Result<Vec<Step>, Failure>) -> Result<(), String> {
    match (&scene.fails, outcome) {
        (None, Ok(_)) => Ok(()),
        (Some(words), Err(failure)) if failure.to_string().contains(words) => Ok(()),
        (_, Err(failure)) => Err(failure.to_string()),
        (Some(_), Ok(steps)) => Err(format!("it does not fail: {steps:?}")),
    }
}

/// A second run, on a host that knows nothing of the first, plans nothing and touches no inode.
fn settled(
    resources: &[Box<dyn Resource>],
    run: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    let listing = "find . -printf '%p %i %m %U %G %n %T@ %C@ %l\\n' | sort";
    let before = run(listing)?;
    let again = apply(&Host::new(Arc::new(NoBlobs)), resources).map_err(|failure| failure.to_string())?;
    if let [step, ..] = &again[..] {
        return Err(format!("not settled: {step}"));
    }
    if run(listing)? == before { Ok(()) } else { Err("the second run touched something".to_owned()) }
}

#[test]
fn files_on_a_real_file_system() {
    // The caller's umask must not matter.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/real/files.toml");
    let text = std::fs::read_to_string(path).expect("the data file is there");
    let data: Data = toml::from_str(&text).expect("the data file is TOML");
    let wrong = data.scene.iter().filter_map(|scene| Some(format!("{}: {}", scene.name, play(scene).err()?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
