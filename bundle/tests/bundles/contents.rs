//! What is in a bundle, and that the compiler finds it there.

use crate::workshop::{bytes, collect, open, site};
use dsl::{Loader, Memory};
use std::path::Path;

#[test]
fn what_compiling_needs_is_in_it_and_nothing_else() {
    let bundle = open(&bytes(&site(), 7)).expect("it is one");
    let names: Vec<&str> = bundle.manifest().files.keys().map(|name| name.as_str()).collect();
    let wanted = "library/modules/motd/module.toml modules/0/base/files/.bashrc modules/0/base/module.toml \
                  site/files/motd site/hosts.toml site/keel.toml site/modules/web/files/deep/index.html \
                  site/modules/web/module.toml site/modules/web/templates/a.hbs site/roles/spare.toml \
                  site/roles/web.toml site/secrets/db.age site/secrets/recipients site/templates/empty.hbs \
                  site/tests/web.toml";
    assert_eq!(names, wanted.split(' ').filter(|name| !name.is_empty()).collect::<Vec<_>>());
    assert_eq!((bundle.manifest().site.as_str(), bundle.manifest().counter), ("shop", 7));
}

#[test]
fn the_compiler_finds_all_where_it_was() {
    let (site, library) = (site(), bundle::Bundle::library());
    let bundle = open(&bytes(&site, 7)).expect("it is one");
    for path in
        ["keel.toml", "modules/web/files/deep/index.html", "../shared/base/files/.bashrc", "secrets/db.age"]
    {
        let path = Path::new(path);
        assert_eq!(Loader::read(&bundle, path), site.read(path), "{path:?}");
        assert_eq!(Loader::digest(&bundle, path), site.digest(path), "{path:?}");
    }
    assert_eq!(bundle.list(Path::new("modules")), Ok(vec!["web".to_owned()]));
    assert_eq!(bundle.list(Path::new("../shared")), Ok(vec!["base".to_owned()]));
    assert_eq!(bundle.list(&library[0].join("modules")), Ok(vec!["motd".to_owned()]));
    assert_eq!(bundle.list(Path::new("secrets")), Ok(vec!["db.age".to_owned(), "recipients".to_owned()]));
    for nothing in ["/etc/passwd", "../keel.toml", "files/../keel.toml", "modules/unused/module.toml", ""] {
        assert_eq!(Loader::read(&bundle, Path::new(nothing)), Ok(None), "{nothing}");
    }
}

#[test]
fn what_cannot_be_in_a_bundle_is_told() {
    let with = |path: &str, text: &str| collect(&site().with(path, text)).expect_err(path).to_string();
    let long = format!("files/{}", "x".repeat(101));
    for (path, text, why) in [
        (
            "secrets/db.age",
            "hunter2",
            "secrets/db.age cannot be in a bundle: it is not sealed: `keel secret create` seals what belongs there",
        ),
        (
            "keel.toml",
            "[project]\nmodules = [\"modules\", \"../shared\"]",
            "a site without a name cannot be in a bundle: give it one in keel.toml, of letters, digits, `-`, `_` and `.`: [project] name = \"shop\"",
        ),
        ("files/a\\b", "", "files/a\\b cannot be in a bundle: has a control character or a backslash in it"),
        (
            &long,
            "",
            &format!("{long} cannot be in a bundle: is too long: 250 bytes at most, 100 after the last `/`"),
        ),
        ("roles/web.toml", "[module.none]", "the site does not compile"),
    ] {
        assert_eq!(with(path, text), why);
    }
}

#[test]
fn a_file_that_changes_while_it_is_packed_is_told() {
    let contents = collect(&site()).expect("it is one");
    let later: Memory = site().with("files/motd", "changed");
    let refusal = bundle::build(&contents, 1, &later, Vec::new()).expect_err("it changed");
    assert_eq!(refusal.to_string(), "site/files/motd cannot be in a bundle: it was changed meanwhile");
}
