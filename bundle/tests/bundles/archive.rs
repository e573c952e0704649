//! The bytes: the same each time, and no others are taken.

use crate::workshop::{bytes, open, site};
use model::Digest;

#[test]
fn the_same_site_makes_the_same_bytes_and_another_counter_others() {
    assert_eq!(bytes(&site(), 7), bytes(&site(), 7));
    assert_ne!(bytes(&site(), 7), bytes(&site(), 8));
    // Whatever changes this makes every bundle anew: a new version of the format.
    let digest = Digest::of(&bytes(&site(), 7)).to_string();
    assert_eq!(digest, "bfbcce616b0e146e0c3d8268e41d38b356f9ecc28cdb74bf0091b90f47196598");
}

#[test]
fn tar_can_list_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a");
    std::fs::write(&file, bytes(&site(), 7)).expect("written");
    let listed =
        std::process::Command::new("tar").args(["--utc", "-tvf"]).arg(&file).output().expect("tar is there");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let last = listed.lines().last().expect("it lists");
    assert_eq!(last, "-rw-r--r-- root/root         0 1970-01-01 00:00 site/tests/web.toml");
    assert_eq!(listed.lines().count(), 16);
}

#[test]
fn whatever_byte_is_changed_it_is_refused() {
    let good = bytes(&site(), 7);
    let before = open(&good).expect("it is one");
    let said = 512..good.windows(7).position(|seven| seven == b"\"files\"").expect("it has files");
    for at in (0..good.len()).filter(|at| *at < 1024 || at % 23 == 0) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        // Without a signature anybody can give a site another name or counter; what follows from it stays whole.
        if let Ok(bundle) = open(&bad) {
            assert!(said.contains(&at) && bundle.manifest() != before.manifest(), "byte {at}");
        }
    }
}

#[test]
fn wherever_it_is_cut_off_it_is_refused() {
    let good = bytes(&site(), 7);
    for length in (0..good.len()).filter(|length| *length < 1024 || length % 23 == 0) {
        let refusal = open(&good[..length]).err().unwrap_or_else(|| panic!("{length} bytes were taken"));
        let told = refusal.to_string();
        assert!(told.starts_with(&format!("the bundle is cut off: {length} of ")), "{length}: {told}");
    }
    let longer = [&good[..], b"x"].concat();
    assert_eq!(
        open(&longer).err().map(|why| why.to_string()).as_deref(),
        Some("this is no bundle: 1 bytes follow its end")
    );
}

#[test]
fn a_file_of_something_else_is_no_bundle() {
    for (text, why) in [
        (&b"<html>not found</html>"[..], "the bundle is cut off: 22 of 512 bytes are there"),
        (&[b'x'; 4096][..], "this is no bundle: it does not begin with bundle.json"),
        (&[0; 4096][..], "this is no bundle: it does not begin with bundle.json"),
    ] {
        assert_eq!(open(text).err().map(|refusal| refusal.to_string()).as_deref(), Some(why));
    }
}

/// An archive by tar(1) of a manifest that somebody wrote by hand.
fn by_tar(manifest: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("bundle.json"), manifest).expect("written");
    let arguments =
        "--format=ustar --mode=0644 --owner=root:0 --group=root:0 --mtime=@0 -b2 -cf - bundle.json";
    let made = std::process::Command::new("tar").current_dir(&dir).args(arguments.split(' ')).output();
    made.expect("tar is there").stdout
}

/// A manifest with these files.
fn manifest(files: &str) -> String {
    format!("{{\n  \"format\": 1,\n  \"site\": \"shop\",\n  \"counter\": 1,\n{files}}}\n")
}

/// A manifest with one file, which is empty.
fn with_file(name: &str) -> String {
    let entry = format!("{{\n      \"sha256\": \"{}\",\n      \"size\": 0\n    }}", Digest::of(b""));
    manifest(&format!("  \"files\": {{\n    \"{name}\": {entry}\n  }}\n"))
}

#[test]
fn a_manifest_that_nobody_would_write_is_refused() {
    let none = manifest("  \"files\": {}\n");
    assert!(open(&by_tar(&none)).is_ok());
    let sized = |size: &str| with_file("a").replace("\"size\": 0", &format!("\"size\": {size}"));
    for (manifest, why) in [
        (
            "{\"format\":2,\"x\":1}".to_owned(),
            "the bundle has the format 2, and this keel reads the format 1",
        ),
        (none.replace("shop", "../shop"), "this is no bundle: its manifest names no site"),
        (
            none.replace("  \"site", " \"site"),
            "this is no bundle: its manifest is not written as a manifest is",
        ),
        (with_file("../a"), "`../a` is no path below the site"),
        (with_file("/etc/passwd"), "`/etc/passwd` is no path below the site"),
        (with_file("bundle.json"), "this is no bundle: its manifest names itself"),
        (sized("99999999999999999"), "the bundle has 100000000000002560 bytes, and 1073741824 are the most"),
        (sized("1000000"), "the bundle is cut off: 2048 of 1003008 bytes are there"),
        ("[".repeat(10_000), "its manifest cannot be read"),
    ] {
        let told = open(&by_tar(&manifest)).err().map(|refusal| refusal.to_string()).unwrap_or_default();
        assert!(told.contains(why), "{told}\n{why}");
    }
}
