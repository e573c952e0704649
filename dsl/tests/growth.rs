//! How the work of compiling grows with what is compiled, by what it allocates: that is the same on a busy machine. Twice as much
//! to compile may take little more than twice as much; a step that copies or parses all of something for each of its parts takes
//! four times as much, and is found here.

mod support;

use allocation_counter::{AllocationInfo, measure};
use dsl::{Entry, Memory, Request, Texts, compile};
use model::{Facts, KindInfo};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Of so many resources the smaller of two sites is.
const SOME: usize = 150;

/// A site in memory, compiled for its hosts in turn as one call does.
struct Site {
    files: Memory,
    texts: Texts,
}

impl Site {
    fn of(hosts: usize, role: &str) -> Self {
        let mut inventory = String::from("[group.all]\nroles = [\"web\"]\n");
        for host in 0..hosts {
            writeln!(
                inventory,
                "[host.h{host}]\ngroups = [\"all\"]\n[host.h{host}.inputs.web]\nport = {host}"
            )
            .expect("text");
        }
        let role = format!("[inputs]\nport = {{ type = \"int\", doc = \"Its port.\" }}\n{role}");
        let template = "{{#if inputs.port}}{{upper each.key}}{{/if}}\n".to_owned() + &"a line\n".repeat(50);
        let files = Memory::default()
            .with("s/keel.toml", "[project]\nname = \"s\"\n")
            .with("s/hosts.toml", inventory)
            .with("s/roles/web.toml", role)
            .with("s/templates/a.conf", template)
            .with("lib/modules/m/module.toml", "[inputs]\nx = { type = \"int\", doc = \"Any.\" }\n[outputs]\ny = \"{{ inputs.x }}\"\n[user.\"u{{ inputs.x }}\"]\n");
        Self { files, texts: Texts::default() }
    }

    /// What compiling for one of its hosts allocates; it makes `nodes`.
    #[track_caller]
    fn cost(&self, host: &str, nodes: usize) -> AllocationInfo {
        let kinds = support::kinds();
        let kinds: Vec<&dyn KindInfo> = kinds.iter().map(|kind| kind as &dyn KindInfo).collect();
        let (facts, library, loader) = (&Facts::default(), &[PathBuf::from("lib")], &self.files);
        let entry = Entry::Site { root: Path::new("s"), host: Some(host), roles: &[] };
        let (sets, unseal, texts) = (&[], &dsl::NoKeys, &self.texts);
        let request = Request { entry, facts, sets, library, kinds: &kinds, loader, unseal, texts };
        measure(|| {
            let compiled = compile(&request).unwrap_or_else(|found| panic!("{found:?}"));
            assert_eq!(compiled.catalog.nodes().len(), nodes);
        })
    }
}

/// What one form of a role costs with so many resources.
#[track_caller]
fn cost(role: Role, count: usize) -> AllocationInfo {
    Site::of(1, &role(count)).cost("h0", count)
}

/// A text for each number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

fn words(count: usize) -> String {
    lines(count, |at| format!("\"k{at}\", "))
}

/// Makes a role of so many resources.
type Role = fn(usize) -> String;

const ROLES: [(&str, Role); 7] = [
    ("literals", |count| {
        lines(count, |at| format!("[file.\"/srv/d{}/f{at}\"]\ncontent = \"{at}\"\nmode = \"0644\"\n", at % 9))
    }),
    ("templates", |count| {
        lines(count, |at| {
            format!(
                "[file.\"/srv/{at}\"]\ncontent = \"{{{{ inputs.port }}}} {{{{upper facts.arch}}}} {at}\"\n"
            )
        })
    }),
    ("for_each", |count| {
        format!(
            "list = {{ type = \"list(string)\", doc = \"Any.\", default = [{}] }}\n[file.\"/srv/{{{{ each.key }}}}\"]\nfor_each = \"inputs.list\"\nwhen = \"size(inputs.list) > 1 && each.key != ''\"\ncontent = \"{{{{lower each.value}}}}\"\n",
            words(count)
        )
    }),
    ("a template file", |count| {
        format!("[file.\"/srv/{{{{ each.key }}}}\"]\nfor_each = [{}]\ntemplate = \"a.conf\"\n", words(count))
    }),
    ("references", |count| {
        let first = "[exec.e0]\ncommand = \"x\"\n".to_owned();
        first
            + &lines(count - 1, |at| {
                format!(
                    "[exec.e{}]\ncommand = \"x\"\nrequire = [\"exec.e{at}\"]\nsubscribe = [\"exec.e0\"]\n",
                    at + 1
                )
            })
    }),
    ("inputs", |count| {
        let inputs =
            lines(count, |at| format!("i{at} = {{ type = \"int\", doc = \"Any.\", default = {at} }}\n"));
        inputs + &lines(count, |at| format!("[user.\"u{{{{ inputs.i{at} }}}}\"]\n"))
    }),
    ("modules", |count| lines(count, |at| format!("[module.m{at}]\nsource = \"m\"\nx = {at}\n"))),
];

#[test]
fn twice_as_much_takes_twice_as_much() {
    // What is made once for a process does not count.
    assert!(ROLES.iter().all(|(_, role)| cost(*role, 3).count_total > 0));
    for (name, role) in ROLES {
        let (once, twice) = (cost(role, SOME), cost(role, 2 * SOME));
        let times = [(once.count_total, twice.count_total), (once.bytes_total, twice.bytes_total)]
            .map(|(once, twice)| twice as f64 / once as f64);
        assert!(times.iter().all(|times| *times < 2.3), "{name}: {times:?} times as much, from {once:?}");
    }
}

#[test]
fn a_directory_of_twice_as_many_files_takes_twice_as_much() {
    let cost = |count: usize| {
        let mut site = Site::of(1, "[directory.\"/srv\"]\nhtdocs = \"www\"\n");
        for at in 0..count {
            site.files = site.files.with(format!("s/files/www/d{}/f{at}", at % 9), "x");
        }
        site.cost("h0", 1)
    };
    // What reading the role takes is not of the files.
    let (few, once, twice) = (cost(1), cost(10 * SOME), cost(20 * SOME));
    for (few, once, twice) in [
        (few.count_total, once.count_total, twice.count_total),
        (few.bytes_total, once.bytes_total, twice.bytes_total),
    ] {
        let times = (twice - few) as f64 / (once - few) as f64;
        assert!((1.5..2.3).contains(&times), "{times} times as much");
    }
}

#[test]
fn a_text_is_parsed_for_the_first_host_alone() {
    let (_, literals) = ROLES[0];
    let cost = |hosts| {
        let site = Site::of(hosts, &literals(SOME));
        let [first, second, last] =
            [0, 1, hosts - 1].map(|at| site.cost(&format!("h{at}"), SOME).bytes_total);
        assert!(second * 3 < first * 2, "{second} bytes are no less than {first}");
        (second, last)
    };
    let (few, many) = (cost(20), cost(200));
    assert!(many.0.max(many.1) < few.0 + few.0 / 50, "a host costs {few:?} among 20, and {many:?} among 200");
}
