//! A directory of the site, copied as a whole: what is not as it is there is told and repaired one by one, and brought back.

use crate::scratch::Scratch;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const SITE: &str = "[directory.\"HOST/www\"]\nsource = \"www\"\nexclude = [\"**/*.swp\"]\nmode = \"0755\"\nfile_mode = \"0604\"\n";

/// Fifty pages, a program, a link and what an editor left.
fn scratch() -> Scratch {
    let scratch = Scratch::of(SITE);
    let www = scratch.root().join("files/www");
    fs::create_dir_all(www.join("bin")).expect("made");
    let put = |name: &str, text: &str| fs::write(www.join(name), text).expect("written");
    (0..50).for_each(|at| put(&format!("page{at:02}"), &format!("page {at}\n")));
    put("bin/tool", "#!/bin/sh\n");
    put("bin/.tool.swp", "half a line");
    fs::set_permissions(www.join("bin/tool"), fs::Permissions::from_mode(0o755)).expect("ours");
    symlink("page00", www.join("index")).expect("made");
    scratch
}

fn text(scratch: &Scratch, name: &str) -> String {
    fs::read_to_string(scratch.host(name)).expect("it is there")
}

fn mode(scratch: &Scratch, name: &str) -> u32 {
    fs::metadata(scratch.host(name)).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn it_arrives_whole_and_then_nothing_is_written() {
    let scratch = scratch();
    scratch.fine("apply", &["--yes"]);
    assert_eq!([text(&scratch, "www/page49"), text(&scratch, "www/bin/tool")], ["page 49\n", "#!/bin/sh\n"]);
    let modes = ["www", "www/bin", "www/page00", "www/bin/tool"].map(|name| mode(&scratch, name));
    assert_eq!(modes, [0o755, 0o755, 0o604, 0o705]);
    assert_eq!(fs::read_link(scratch.host("www/index")).expect("a link").as_os_str(), "page00");
    assert!(!scratch.host("www/bin/.tool.swp").exists());
    let before = scratch.stamps();
    assert_eq!(scratch.fine("apply", &["--yes"]).out, "as desired: 1 unchanged\n");
    assert_eq!(scratch.stamps(), before);
}

#[test]
fn what_somebody_changed_is_told_file_by_file_and_repaired() {
    let scratch = scratch();
    scratch.fine("apply", &["--yes"]);
    fs::write(scratch.host("www/page07"), "page 8\n").expect("written");
    fs::remove_file(scratch.host("www/page09")).expect("it is there");
    fs::write(scratch.host("www/mine"), "stays").expect("written");
    let plan = scratch.keel("plan", &[]);
    let told = |name: &str| plan.out.contains(&scratch.host(name).display().to_string());
    assert!(plan.code == 2 && told("www/page07") && told("www/page09"), "{plan:?}");
    assert!(!told("www/page08") && !told("www/mine") && plan.out.contains("-page 8"), "{plan:?}");
    scratch.fine("apply", &["--yes"]);
    assert_eq!([text(&scratch, "www/page07"), text(&scratch, "www/page09")], ["page 7\n", "page 9\n"]);
    scratch.fine("rollback", &["--yes"]);
    assert_eq!(
        [text(&scratch, "www/page07"), text(&scratch, "www/mine")],
        ["page 8\n", "stays"].map(String::from)
    );
    assert!(!scratch.host("www/page09").exists());
}

#[test]
fn a_rollback_of_the_first_run_leaves_nothing() {
    let scratch = scratch();
    scratch.fine("apply", &["--yes"]);
    scratch.fine("rollback", &["--yes"]);
    assert!(!scratch.host("www").exists());
}

#[test]
fn what_left_the_site_goes_by_purge() {
    let scratch = scratch();
    scratch.fine("apply", &["--yes"]);
    fs::remove_file(scratch.root().join("files/www/page03")).expect("it is there");
    fs::write(scratch.host("www/bin/.tool.swp"), "of the host").expect("written");
    assert_eq!(scratch.fine("plan", &[]).out, "as desired: 1 unchanged\n");
    scratch.site(&format!("{SITE}purge = true\n"));
    scratch.fine("apply", &["--yes"]);
    assert!(!scratch.host("www/page03").exists() && scratch.host("www/page04").exists());
    assert!(scratch.host("www/bin/.tool.swp").exists(), "it is excluded");
}

#[test]
fn a_link_of_the_site_is_never_followed() {
    let scratch = scratch();
    let site = scratch.root().join("files/www/page05");
    fs::remove_file(&site).expect("it is there");
    symlink("/dev/zero", &site).expect("made");
    scratch.fine("apply", &["--yes"]);
    assert_eq!(fs::read_link(scratch.host("www/page05")).expect("a link").as_os_str(), "/dev/zero");
}
