//! Roles, modules, layers and secrets of a site, as a host sees them.

#[path = "support/run.rs"]
mod run;
#[path = "site/sealed.rs"]
mod sealed;
mod support;

use run::{Site, ids, site};
use serde_json::json;

const PORT: &str = "[inputs.port]\ntype = \"int\"\ndoc = \"Port.\"\n";

fn nginx(role: &str, module: &str) -> Site {
    site(role).with("s/modules/nginx/module.toml", module)
}

#[test]
fn each_layer_is_told_and_the_last_one_wins() {
    let site = nginx("[module.nginx]\nport = 1\n", &format!("{PORT}default = 0\n[package.nginx]\n"))
        .with("s/hosts.toml", "[host.web1]\ngroups = [\"a\", \"b\"]\nroles = [\"web\"]\n[group.b.inputs.nginx]\nport = 3\n[group.a.inputs.nginx]\nport = 2\n[host.web1.inputs.nginx]\nport = 4\n")
        .set("nginx.port", "5");
    let wanted = [
        "default s/modules/nginx/module.toml:4:11 0",
        "role web s/roles/web.toml:2:8 1",
        "group a s/hosts.toml:7:8 2",
        "group b s/hosts.toml:5:8 3",
        "host web1 s/hosts.toml:9:8 4",
        "command line --set:1:12 5 wins",
    ];
    assert_eq!(site.explain("nginx.port"), wanted);
}

#[test]
fn a_role_overrides_what_it_includes_and_two_that_do_not_must_agree() {
    let module = format!("{PORT}[exec.run]\ncommand = \"{{{{ inputs.port }}}}\"\n");
    let base = "[module.nginx]\nport = 1\n";
    let nested = nginx("[about]\ninclude = [\"base\"]\n[module.nginx]\nport = 2\n", &module)
        .with("s/roles/base.toml", base);
    assert_eq!(nested.run().expect("compiles").catalog.nodes()[0].params["command"], json!("2"));
    let apart = nested
        .with("s/roles/web.toml", "[module.nginx]\nport = 2\n")
        .with("s/hosts.toml", "[host.web1]\nroles = [\"base\", \"web\"]\n");
    assert_eq!(apart.codes(), ["conflict s/roles/web.toml:2:8"]);
}

#[test]
fn modules_use_modules_and_see_their_outputs() {
    let site = nginx("[module.app]\n", &format!("{PORT}[outputs]\nconf = \"/etc/nginx/{{{{ inputs.port }}}}\"\n[package.nginx]\n"))
        .with("s/modules/app/module.toml", "[module.nginx]\nport = 80\n[module.log]\ndir = \"{{ modules.nginx.conf }}\"\n[file.\"{{ modules.nginx.conf }}\"]\nrequire = [\"module.nginx\"]\n")
        .with("s/modules/log/module.toml", "[inputs.dir]\ntype = \"path\"\n[directory.\"{{ inputs.dir }}/log\"]\n");
    assert_eq!(site.ids(), ["package.nginx", "file./etc/nginx/80", "directory./etc/nginx/80/log"]);
}

#[test]
fn one_module_may_be_instantiated_twice_under_other_names() {
    let module = format!(
        "{PORT}[exec.run]\ncommand = \"{{{{ module.name }}}} {{{{ inputs.port }}}}\"\nrequire = [\"exec.other\"]\n[exec.other]\ncommand = \"x\"\n"
    );
    let site = nginx(
        "[module.a]\nsource = \"nginx\"\nport = 1\n[module.b]\nsource = \"nginx\"\nport = 2\nrequire = [\"module.a\"]\n",
        &module,
    );
    let compiled = site.run().expect("compiles");
    assert_eq!(ids(&compiled.catalog), ["exec.a/other", "exec.a/run", "exec.b/other", "exec.b/run"]);
    assert_eq!(compiled.catalog.nodes()[3].params["command"], json!("b 2"));
    assert_eq!(compiled.catalog.edges().len(), 6);
}

#[test]
fn a_module_that_is_switched_off_has_no_resources_and_needs_no_inputs() {
    let role = "[module.nginx]\nwhen = \"facts.hostname == 'other'\"\n[package.a]\nrequire = [\"module.nginx\", \"package.nginx\"]\n";
    let site = nginx(role, &format!("{PORT}[package.nginx]\n"));
    assert_eq!(site.ids(), ["package.a"]);
}

#[test]
fn a_secret_is_followed_through_modules_templates_and_loops() {
    let role = "[inputs.pw]\ntype = \"secret\"\n[module.nginx]\nusers = { ann = \"{{ inputs.pw }}\", bob = \"open\" }\n";
    let module = "[inputs.users]\ntype = \"map(string)\"\n[file.\"/{{ each.key }}\"]\nfor_each = \"inputs.users\"\ntemplate = \"t\"\n";
    let site = nginx(role, module)
        .with("s/modules/nginx/templates/t", "p={{ each.value }}")
        .set("web.pw", "hunter2");
    let compiled = site.run().expect("compiles");
    let contents: Vec<_> =
        compiled.catalog.nodes().iter().map(|node| node.params["content"].clone()).collect();
    assert_eq!(contents, [json!({ "$secret": "file./ann#content" }), json!("p=open")]);
    assert_eq!(site.explain("web.pw"), ["command line --set:1:8 \"<secret>\" wins"]);
}

#[test]
fn what_is_sensitive_is_no_blob() {
    let site = site("[file.\"/a\"]\nsource = \"k\"\nsensitive = true\n[file.\"/b\"]\nsource = \"k\"\n")
        .with("s/files/k", "key\n");
    let compiled = site.run().expect("compiles");
    let content = |at: usize| compiled.catalog.nodes()[at].params["content"].clone();
    assert_eq!(content(0), json!({ "$secret": "file./a#content" }));
    assert_eq!(content(1)["$blob"][1], json!(4));
    assert_eq!(compiled.blobs.len(), 1);
}

#[test]
fn a_directory_of_the_site_stands_in_the_catalog_by_its_digests() {
    let site = site("[directory.\"/srv\"]\nhtdocs = \"www\"\nexclude = [\"*.bak\", \"old\"]\n")
        .with("s/files/www/b/c", "page\n")
        .with("s/files/www/a.bak", "")
        .with("s/files/www/old/d", "");
    let compiled = site.run().expect("compiles");
    let page = model::Digest::of(b"page\n");
    let lines = json!({ "$tree": ["d\tb", format!("f\t{page}\t5\tb/c")] });
    assert_eq!(compiled.catalog.nodes()[0].params["tree"], lines);
    assert_eq!(compiled.trees.len(), 1);
    assert_eq!(compiled.trees[0].path, std::path::Path::new("s/files/www"));
}

#[test]
fn compatible_declarations_merge() {
    let site = site(
        "[about]\ninclude = [\"base\"]\n[user.ann]\ngroups = [\"a\", \"b\"]\ntags = [\"x\"]\n[package.z]\n",
    )
    .with(
        "lib/roles/base.toml",
        "[user.ann]\ngroups = [\"b\", \"c\"]\nensure = \"present\"\nrequire = [\"package.z\"]\n",
    );
    let compiled = site.run().expect("compiles");
    assert_eq!(ids(&compiled.catalog), ["package.z", "user.ann"]);
    let ann = &compiled.catalog.nodes()[1];
    assert_eq!(ann.params, json!({ "ensure": "present", "groups": ["b", "c", "a"] }));
    let origins: Vec<_> = ann.origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["lib/roles/base.toml:1:7", "s/roles/web.toml:3:7"]);
}

#[test]
fn values_that_do_not_fit_never_show_a_secret() {
    let role = "[inputs.pw]\ntype = \"secret\"\n[module.nginx]\ndir = \"{{ inputs.pw }}\"\n";
    let site = nginx(role, "[inputs.dir]\ntype = \"path\"\n").set("web.pw", "hunter2");
    let found = site.run().err().unwrap_or_default();
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let site =
        nginx("[module.nginx]\nport = 1\n[user.ann]\n[package.a]\n", &format!("{PORT}[package.nginx]\n"));
    let bytes = || serde_json::to_string(&site.run().expect("compiles").catalog).expect("JSON");
    assert_eq!(bytes(), bytes());
}
