//! Bundles through the program: made, signed, verified, and what is said of those that are not taken.
#![expect(clippy::disallowed_methods, reason = "runs the program and writes scratch files")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A home with a key of Ann's, and a site in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a directory"));
        for dir in [".ssh", "site/roles", "site/files", "site/secrets"] {
            fs::create_dir_all(desk.path(dir)).expect("made");
        }
        desk.key(".ssh/id_ed25519", "ann@laptop");
        let public = fs::read_to_string(desk.path(".ssh/id_ed25519.pub")).expect("made");
        desk.write("site/keel.toml", "[project]\nname = \"shop\"\n");
        desk.write("site/hosts.toml", "[host.web1]\nroles = [\"web\"]\n");
        desk.write("site/roles/web.toml", "[module.chrony]\n[file.\"/etc/x\"]\nsource = \"x\"\n");
        desk.write("site/files/x", "x\n");
        desk.write("allowed", &format!("ann@example.org namespaces=\"evenkeel-bundle\" {public}"));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect(name);
    }

    fn key(&self, name: &str, comment: &str) {
        let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"];
        let made = Command::new("ssh-keygen").args(arguments).arg(self.path(name)).status();
        assert!(made.expect("ssh-keygen is there").success());
    }

    /// Exit code and all that was said, with its home as `~`.
    fn keel(&self, words: &str) -> (i32, String) {
        let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
        keel.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        keel.current_dir(self.path("site")).args(words.split(' ')).stdin(Stdio::null());
        let done = keel.output().expect("keel starts");
        let said = [done.stdout, done.stderr].concat();
        let home = self.0.path().display().to_string();
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).replace(&home, "~"))
    }
}

#[test]
fn a_site_becomes_a_bundle_that_a_host_takes() {
    let desk = Desk::new();
    let (code, said) = desk.keel("bundle build --counter 7 -o ../a.bundle");
    assert!(code == 0 && said.starts_with("../a.bundle: site shop, counter 7, "), "{said}");
    assert_eq!(desk.keel("bundle build --counter 7 -o ../b.bundle").0, 0);
    let read = |name: &str| fs::read(desk.path(name)).expect("it was made");
    assert_eq!(read("a.bundle"), read("b.bundle"));
    let (code, said) = desk.keel("bundle sign ../a.bundle");
    assert!(
        code == 0 && said.starts_with("../a.bundle.sig: site shop, counter 7, by ssh-ed25519 SHA256:"),
        "{said}"
    );
    let (code, said) = desk.keel("bundle verify ../a.bundle --allowed-signers ../allowed --name shop");
    assert!(code == 0 && said.contains(", signed by ann@example.org (ssh-ed25519 SHA256:"), "{said}");
    assert!(String::from_utf8_lossy(&read("a.bundle")).contains("library/modules/chrony/module.toml"));
}

#[test]
fn what_a_host_would_not_take_is_told() {
    let desk = Desk::new();
    assert_eq!(desk.keel("bundle build --counter 7").0, 0);
    let verify = "bundle verify shop.bundle --allowed-signers ../allowed";
    let refused = |call: &str, why: &str| {
        let (code, said) = desk.keel(call);
        assert!(code != 0 && said.contains(why), "{call}: {said}");
    };
    refused(
        verify,
        "error: the bundle is not signed: there is no shop.bundle.sig; `keel bundle sign` makes it",
    );
    desk.key("eve", "eve");
    assert_eq!(desk.keel("bundle sign shop.bundle --key ../eve").0, 0);
    refused(verify, ", which is not in ../allowed");
    assert_eq!(desk.keel("bundle sign shop.bundle").0, 0);
    refused(
        &format!("{verify} --name bank"),
        "error: the bundle is of the site `shop`, and this is the place of `bank`",
    );
    refused(
        "bundle verify shop.bundle --allowed-signers ../none",
        "../none: there is no such file, and it says who may sign",
    );
    refused("bundle sign shop.bundle --key ../allowed", "../allowed ");
    refused("bundle sign keel.toml", "error: the bundle is cut off: 24 of 512 bytes are there");
}

#[test]
fn a_site_that_does_not_compile_makes_none() {
    let desk = Desk::new();
    desk.write("site/roles/web.toml", "[file.\"/etc/x\"]\nsource = \"y\"\n");
    let (code, said) = desk.keel("bundle build");
    assert!(code == 3 && said.contains("roles/web.toml:2"), "{code} {said}");
    assert!(!desk.path("site/shop.bundle").exists());
}

#[test]
fn a_link_that_leads_out_of_the_site_takes_nothing_with_it() {
    let desk = Desk::new();
    std::os::unix::fs::symlink("x", desk.path("site/files/within")).expect("made");
    assert_eq!(desk.keel("bundle build").0, 0);
    std::os::unix::fs::symlink("../../.ssh/id_ed25519", desk.path("site/files/key")).expect("made");
    let (code, said) = desk.keel("bundle build -o ../other.bundle");
    let why = "files/key cannot be in a bundle: it leads out of the site, to ../../.ssh/id_ed25519";
    assert!(code != 0 && said.contains(why), "{code} {said}");
    assert!(!desk.path("other.bundle").exists());
}

#[test]
fn a_secret_that_a_host_could_not_read_is_told() {
    let desk = Desk::new();
    let role = "[inputs.pw]\ntype = \"secret\"\n[file.\"/etc/x\"]\ncontent = \"{{ inputs.pw }}\"\n";
    desk.write("site/roles/web.toml", role);
    let public = fs::read_to_string(desk.path(".ssh/id_ed25519.pub")).expect("made");
    desk.write("site/secrets/recipients", &public);
    let host = "[host.web1.inputs.web]\npw = { secret = \"db\" }\n";
    let sealed = desk.path("value");
    fs::write(&sealed, "hunter2\n").expect("written");
    let mut create = Command::new(env!("CARGO_BIN_EXE_keel"));
    create.current_dir(desk.path("site")).env("HOME", desk.0.path()).args(["secret", "create", "db"]);
    assert!(create.stdin(fs::File::open(&sealed).expect("there")).status().expect("it starts").success());
    desk.key("host", "root@web1");
    let key = fs::read_to_string(desk.path("host.pub")).expect("made");
    for (more, told) in [
        (String::new(), "warning: whether web1 can read `db` cannot be told: give it `host_key`"),
        (format!("host_key = \"{}\"\n", key.trim()), "warning: web1 cannot read `db`: add its host key"),
        (format!("host_key = \"{}\"\n", public.trim()), ""),
    ] {
        desk.write("site/hosts.toml", &format!("[host.web1]\nroles = [\"web\"]\n{more}{host}"));
        let (code, said) = desk.keel("bundle build");
        assert!(code == 0 && said.contains(told) && said.contains("warning") != told.is_empty(), "{said}");
    }
    let bundle = fs::read(desk.path("site/shop.bundle")).expect("made");
    assert!(!String::from_utf8_lossy(&bundle).contains("hunter2"));
}

#[test]
fn a_host_takes_the_last_one_of_a_place_and_keeps_it() {
    let desk = Desk::new();
    desk.write("site/roles/web.toml", "[file.\"/nonexistent/x\"]\nsource = \"x\"\n");
    assert_eq!(desk.keel("bundle build --counter 7").0, 0);
    assert_eq!(desk.keel("bundle sign shop.bundle").0, 0);
    let (code, said) = desk.keel("bundle publish shop.bundle ../place");
    assert!(code == 0 && said == "../place: site shop, counter 7\n", "{said}");
    let state = desk.path("state").display().to_string();
    let plan = format!("plan --local web1 --allowed-signers ../allowed --state-dir {state}");
    let (_, of_file) = desk.keel(&format!("{plan} --bundle shop.bundle"));
    assert!(of_file.contains("file./nonexistent/x"), "{of_file}");
    let last = format!("{plan} --bundle ../place --name shop --bundle-dir ../depots");
    assert_eq!(desk.keel(&last).1, of_file);
    desk.write("place/shop.latest", "nonsense");
    let (_, said) = desk.keel(&last);
    assert!(
        said.contains("shop.latest cannot be used") && said.contains("the counter 7 stays in force"),
        "{said}"
    );
    assert!(said.contains("file./nonexistent/x"), "{said}");
    let (code, said) = desk.keel(&format!("{plan} --bundle ../place"));
    assert!(code == 3 && said.contains("../place is no file: of a place say with --name"), "{said}");
}

#[test]
fn directories_are_in_it_as_they_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let desk = Desk::new();
    desk.write(
        "site/roles/web.toml",
        "[directory.\"/srv/nonexistent-d\"]\nsource = \"d\"\n[file.\"/srv/nonexistent-l\"]\nsource = \"d/link\"\n",
    );
    for dir in ["site/files/d/empty", "site/files/d/deep"] {
        fs::create_dir_all(desk.path(dir)).expect("made");
    }
    desk.write("site/files/d/deep/run", "#!/bin/sh\n");
    fs::set_permissions(desk.path("site/files/d/deep/run"), PermissionsExt::from_mode(0o755)).expect("set");
    symlink("deep/run", desk.path("site/files/d/link")).expect("made");
    symlink("nowhere", desk.path("site/files/d/dangling")).expect("made");
    let state = desk.path("state").display().to_string();
    let plan = format!("plan --local web1 --state-dir {state} --format json");
    let (code, of_site) = desk.keel(&plan);
    assert!(code == 2 && of_site.contains("dangling"), "{code} {of_site}");
    assert_eq!(desk.keel("bundle build").0, 0);
    assert_eq!(desk.keel("bundle sign shop.bundle").0, 0);
    let (_, of_bundle) = desk.keel(&format!("{plan} --bundle shop.bundle --allowed-signers ../allowed"));
    // But for the time of each line.
    let bare = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.split_once("\"seq\"")?.1.to_owned())).collect()
    };
    assert_eq!(bare(&of_bundle), bare(&of_site));
}
