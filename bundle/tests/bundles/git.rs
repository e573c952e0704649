//! A branch of a real repository as a place, by git itself.

use std::path::Path;
use std::process::Command;

fn git(dir: &Path, args: &[&str]) {
    let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").arg("-C").arg(dir).args(who).args(args).output().expect("git is there");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn get(address: &str, name: &str) -> Result<Option<String>, String> {
    let mut held = Vec::new();
    let place = bundle::source(address).map_err(|refusal| refusal.to_string())?;
    let got = place.get(name, 10, &mut held).map_err(|refusal| refusal.to_string())?;
    Ok(got.map(|_| String::from_utf8_lossy(&held).into_owned()))
}

/// A repository with a branch `main` and one `next`.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    git(dir.path(), &["init", "--quiet"]);
    put("a.latest", "one");
    put("large", "eleven byte");
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("link")).expect("linked");
    for (text, branch) in [("one", "next"), ("two", "main")] {
        put("a.latest", text);
        git(dir.path(), &["add", "."]);
        git(dir.path(), &["commit", "--quiet", "-m", text]);
        git(dir.path(), &["branch", "-f", branch]);
        git(dir.path(), &["checkout", "--quiet", "--detach"]);
    }
    git(dir.path(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
    dir
}

#[test]
fn a_branch_is_read_as_a_directory_is() {
    let dir = repository();
    let address = format!("git+file://{}", dir.path().display());
    for (branch, text) in [("", "two"), ("#main", "two"), ("#next", "one")] {
        assert_eq!(get(&format!("{address}{branch}"), "a.latest"), Ok(Some(text.to_owned())), "{branch}");
    }
    assert_eq!(get(&address, "b.latest"), Ok(None));
    for (branch, name, why) in [
        ("", "large", "has 11 bytes, and 10 are the most"),
        ("", "link", "/link: it is no file"),
        ("#gone", "a.latest", "#gone: fatal: couldn't find remote ref refs/heads/gone"),
    ] {
        let told = get(&format!("{address}{branch}"), name).expect_err(why);
        assert!(told.contains(why), "{told}");
    }
    let told =
        bundle::source(&address).expect("it is one").put("a", b"").expect_err("it cannot be written to");
    assert!(told.to_string().contains("commit and push"), "{told}");
}
