//! The whole: hosts, tools, then one workload after the other, each of which is a contest. Next: `figures`.

use crate::answer::Answer;
use crate::contest::{Contender, Contest, Outcome, Role, hold};
use crate::figures::{Figures, Row};
use crate::lab::{Connections, Fleet, lay, quoted};
use crate::page::{self, Page};
use crate::tools::install::{self, Had};
use crate::tools::{Keel, Tool};
use crate::workloads::{self, Floor, OPT, Peers, Place, Scale, Workload};
use anyhow::Context;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Measures, and writes what was found.
#[derive(clap::Args)]
pub struct Run {
    /// The program, with the agents beside it.
    #[arg(long)]
    keel: PathBuf,
    /// Peers that take part, by name, or `all`; they are installed on hosts of the lab and into /var/cache/keel-bench.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Only these workloads, such as W1,W3-10.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Fewer runs of fewer workloads: five minutes, without peers.
    #[arg(long)]
    quick: bool,
    /// How often each tool runs; five times, or with `--quick` three, where so many runs take more than five seconds.
    #[arg(long)]
    runs: Option<usize>,
    /// Minutes after which a run is killed and its tool left out of the workload: the table says then that it takes over so long.
    #[arg(long, default_value_t = 0.5)]
    limit: f64,
    /// Where `performance.md` is, in which the tables are put.
    #[arg(long, default_value = "docs")]
    docs: PathBuf,
}

/// What all workloads share.
struct Bench {
    scratch: TempDir,
    fleet: Option<Fleet>,
    keel: Keel,
    peers: Vec<&'static dyn Tool>,
    runs: usize,
    least: usize,
    limit: f64,
}

/// What `bench run` does.
pub fn run(run: &Run) -> anyhow::Result<()> {
    let scale = if run.quick { Scale::Quick } else { Scale::Full };
    let chosen = chosen(workloads::all(scale), &run.only)?;
    let scratch = tempfile::tempdir()?;
    let keel = fs::canonicalize(&run.keel).with_context(|| run.keel.display().to_string())?;
    let hosts = chosen.iter().map(Workload::hosts).max().unwrap_or(0);
    let fleet = (hosts > 0).then(|| Fleet::up(hosts, &scratch.path().join("home"))).transpose()?;
    let mut had = Had::default();
    if let Some(fleet) = &fleet {
        ours(fleet, &keel)?;
        // Those after the tenth are there for keel alone.
        let ten = fleet.first(hosts.min(10), &scratch.path().join("ten"), Connections::Fresh)?;
        had = install::peers(&ten, &run.peers)?;
    }
    let (often, least) = if run.quick { (7, 3) } else { (20, 5) };
    let bench = Bench {
        scratch,
        fleet,
        keel: Keel { program: keel },
        peers: had.tools,
        runs: run.runs.unwrap_or(often),
        least,
        limit: run.limit * 60.0,
    };
    let mut rows = Vec::new();
    for workload in &chosen {
        eprintln!("{}: {}", workload.id, workload.what);
        rows.push(bench.measure(workload).with_context(|| workload.id)?);
    }
    let figures =
        Figures { machine: machine()?, scale, versions: had.versions, left_out: had.left_out, rows };
    page::put(&Page::of(run.docs.clone()), &figures)
}

fn chosen(all: Vec<Workload>, only: &[String]) -> anyhow::Result<Vec<Workload>> {
    let known = |name: &String| all.iter().any(|workload| workload.id == name);
    if let Some(unknown) = only.iter().find(|name| !known(name)) {
        let known: Vec<_> = all.iter().map(|workload| workload.id).collect();
        anyhow::bail!("no workload {unknown}; there are {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|it| only.is_empty() || only.iter().any(|name| name == it.id)).collect())
}

/// Brings the programs of this workspace to the first host.
fn ours(fleet: &Fleet, keel: &Path) -> anyhow::Result<()> {
    let bench = std::env::current_exe()?;
    for program in [keel, &bench, &bench.with_file_name("floor")] {
        fleet.copy(program, OPT)?;
    }
    Ok(())
}

impl Bench {
    fn measure(&self, workload: &Workload) -> anyhow::Result<Row> {
        let home = self.scratch.path().join(workload.id).join("home");
        let first = |count: usize, connections: Connections| -> anyhow::Result<Fleet> {
            self.fleet.as_ref().context("no hosts were asked for")?.first(count, &home, connections)
        };
        let outcomes = match workload.place {
            Place::Host => self.on_host(workload, &first(1, Connections::Fresh)?)?,
            Place::Kept => self.on_laptop(workload, &first(1, Connections::Kept)?)?,
            Place::Laptop { hosts, delay: 0 } => {
                self.on_laptop(workload, &first(hosts, Connections::Fresh)?)?
            }
            Place::Laptop { hosts, delay } => {
                self.on_laptop(workload, &first(hosts, Connections::Fresh)?.delayed(delay, &home)?)?
            }
            Place::Compile { hosts } => self.compile(workload, hosts)?,
        };
        let on_host = match workload.place {
            Place::Laptop { hosts, delay: 0 } if workload.before.is_empty() => {
                Some(self.peak(workload, &first(hosts, Connections::Fresh)?)?)
            }
            _ => None,
        };
        Ok(Row {
            on_host,
            id: workload.id.to_owned(),
            what: workload.what.clone(),
            most: workload.most,
            memory: workload.memory,
            floors: workload.floors.len(),
            outcomes,
        })
    }

    /// Keel first, then the peers.
    fn tools(&self, workload: &Workload) -> Vec<&dyn Tool> {
        let peers = self.peers.iter().copied().filter(|_| workload.peers == Peers::Invited);
        std::iter::once::<&dyn Tool>(&self.keel).chain(peers).collect()
    }

    /// The directory of the tool's site on the laptop.
    fn site(&self, workload: &Workload, tool: &dyn Tool) -> anyhow::Result<PathBuf> {
        let at = self.scratch.path().join(workload.id).join(tool.name());
        lay(&at, &tool.write(&workload.state))?;
        Ok(at)
    }

    fn on_host(&self, workload: &Workload, fleet: &Fleet) -> anyhow::Result<Vec<Outcome>> {
        fleet.script(&workload.fixture)?;
        let mut contenders = Vec::new();
        for tool in self.tools(workload) {
            let at = format!("{OPT}/{}/{}", workload.id, tool.name());
            if let Some(argv) = tool.on_host(Path::new(&at)) {
                fleet.copy(&self.site(workload, tool)?, &at)?;
                contenders.push(competitor(tool, argv));
            }
        }
        add_floors(&mut contenders, workload, |floor| floor.argv.clone());
        fleet.hold(&brought_about(&contenders[0]))?.first().map_or(Ok(()), well)?;
        fleet.hold(&self.contest(contenders, |words| Ok(words.to_owned()), workload)?)
    }

    fn on_laptop(&self, workload: &Workload, fleet: &Fleet) -> anyhow::Result<Vec<Outcome>> {
        fleet.script(&workload.fixture)?;
        let mut contenders = Vec::new();
        for tool in self.tools(workload) {
            if let Some(argv) = tool.push(&self.site(workload, tool)?, fleet)? {
                contenders.push(Contender { page: awaited(workload, fleet), ..competitor(tool, argv) });
            }
        }
        let packed = self.packed(workload)?;
        add_floors(&mut contenders, workload, |floor| match floor.brings {
            true => fed(&packed, fleet.ssh("", &floor.argv)),
            false => fleet.ssh("", &floor.argv),
        });
        hold(&brought_about(&contenders[0]))?.first().map_or(Ok(()), well)?;
        let contest = self.contest(contenders, |words| self.over_ssh(workload, fleet, words), workload)?;
        let hosts = if fleet.hosts().len() > 10 { fleet.namespaces()? } else { Vec::new() };
        hold(&Contest { hosts, ..contest })
    }

    /// The agent as a push brings it; a name of no file where no floor asks for it.
    fn packed(&self, workload: &Workload) -> anyhow::Result<PathBuf> {
        let packed = self.scratch.path().join("agent.gz");
        if workload.floors.iter().any(|floor| floor.brings) {
            let agent = self.keel.program.with_file_name(format!("keel-agent-{}", std::env::consts::ARCH));
            let mut gzip = Command::new("gzip");
            gzip.arg("-9c").stdin(fs::File::open(&agent).with_context(|| agent.display().to_string())?);
            let status = gzip.stdout(fs::File::create(&packed)?).status()?;
            anyhow::ensure!(status.success(), "gzip: {status}");
        }
        Ok(packed)
    }

    /// The largest process that keel's push starts on a host, in MiB.
    fn peak(&self, workload: &Workload, fleet: &Fleet) -> anyhow::Result<f64> {
        let argv = self.keel.push(&self.site(workload, &self.keel)?, fleet)?.context("keel pushes")?;
        let keel = competitor(&self.keel, argv);
        fleet.peak(|| hold(&brought_about(&keel))?.first().map_or(Ok(()), well))
    }

    fn compile(&self, workload: &Workload, hosts: usize) -> anyhow::Result<Vec<Outcome>> {
        let at = self.scratch.path().join(workload.id).join("keel");
        let argv = self.keel.compile(&at, &workload.state, hosts)?;
        let keel = competitor(&self.keel, argv);
        hold(&self.contest(vec![keel], |words| Ok(words.to_owned()), workload)?)
    }

    /// `there` has the words of the workload done on the host.
    fn contest(
        &self,
        contenders: Vec<Contender>,
        there: impl Fn(&str) -> anyhow::Result<String>,
        workload: &Workload,
    ) -> anyhow::Result<Contest> {
        let [spoil, proof] = spoilt(workload);
        Ok(Contest {
            runs: self.runs,
            least: self.least,
            limit: self.limit,
            spoil: there(&spoil)?,
            proof: there(&proof)?,
            before: there(&workload.before)?,
            after: there(&workload.after)?,
            hosts: Vec::new(),
            contenders,
        })
    }

    /// Shell words for the laptop that do these on the first host, as root.
    fn over_ssh(&self, workload: &Workload, fleet: &Fleet, words: &str) -> anyhow::Result<String> {
        if words.is_empty() {
            return Ok(String::new());
        }
        let directory = self.scratch.path().join(workload.id);
        let count = fs::read_dir(&directory)?.count();
        let file = directory.join(format!("script{count}"));
        fs::write(&file, words)?;
        let ssh: Vec<String> =
            fleet.ssh("root-", &["sh".into(), "-es".into()]).iter().map(|it| quoted(it)).collect();
        Ok(format!("{} <{}", ssh.join(" "), quoted(&file.display().to_string())))
    }
}

fn competitor(tool: &dyn Tool, argv: Vec<String>) -> Contender {
    Contender { name: tool.name().to_owned(), argv, role: Role::Tool, follows: false, page: None }
}

/// Puts the floors behind keel, which comes first; `there` is what has one run on the host.
fn add_floors(contenders: &mut Vec<Contender>, workload: &Workload, there: impl Fn(&Floor) -> Vec<String>) {
    let keel = contenders[0].argv.clone();
    let floors = workload.floors.iter().map(|it| {
        let argv = if it.argv.is_empty() { keel.clone() } else { there(it) };
        let name = it.name.to_owned();
        Contender { name, argv, role: Role::Floor, follows: it.follows, page: None }
    });
    contenders.splice(1..1, floors.collect::<Vec<_>>());
}

/// Has keel make it so, however long that takes.
fn brought_about(keel: &Contender) -> Contest {
    let none = String::new;
    let contenders = vec![keel.clone()];
    let hosts = Vec::new();
    Contest {
        runs: 0,
        least: 0,
        limit: 600.0,
        spoil: none(),
        proof: none(),
        before: none(),
        after: none(),
        hosts,
        contenders,
    }
}

/// Shell words that spoil one of the workload's files, and those that look whether it is as before, and have it so. None where a workload
/// begins without its files, or asks for none.
fn spoilt(workload: &Workload) -> [String; 2] {
    let state = &workload.state;
    let file = state.templated.first().map(|it| &it.path).or(state.files.first().map(|it| &it.path));
    let (Some(file), true) = (file, workload.before.is_empty() && workload.hosts() > 0) else {
        return [String::new(), String::new()];
    };
    let right = format!("{OPT}/{}.right", workload.id);
    [
        format!("[ -e {right} ] || cp {file} {right}; echo spoilt >>{file}"),
        format!("cmp -s {file} {right} || {{ cp {right} {file}; exit 1; }}"),
    ]
}

fn well(outcome: &Outcome) -> anyhow::Result<()> {
    outcome.left_out.as_ref().map_or(Ok(()), |why| anyhow::bail!("{why}"))
}

/// What the clock of a tool waits for.
fn awaited(workload: &Workload, fleet: &Fleet) -> Option<Answer> {
    let (port, says) = workload.page.clone()?;
    let address = fleet.hosts()[0].address.parse().expect("the lab gives addresses, not names");
    Some(Answer { at: SocketAddr::new(address, port), says })
}

/// The program with a file as its standard input.
fn fed(file: &Path, argv: Vec<String>) -> Vec<String> {
    let file = file.display().to_string();
    let words = ["sh", "-c", "f=$1; shift; exec \"$@\" <\"$f\"", "sh", &file].map(str::to_owned);
    words.into_iter().chain(argv).collect()
}

/// What it all ran on.
fn machine() -> anyhow::Result<Vec<String>> {
    let said = |program: &str, args: &[&str]| -> anyhow::Result<String> {
        let output = Command::new(program).args(args).output().with_context(|| program.to_owned())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("processor");
    let processors = std::thread::available_parallelism()?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("?").trim().to_owned();
    Ok(vec![
        format!("{processors} x {}", model.trim_start_matches([' ', '\t', ':'])),
        format!("{memory} of memory"),
        format!("Linux {}", said("uname", &["-r"])?),
        format!("load {} at the end", said("cut", &["-d", " ", "-f1", "/proc/loadavg"])?),
        said("date", &["-u", "+%F"])?,
    ])
}

#[cfg(test)]
mod tests {
    use super::chosen;
    use crate::workloads::{Scale, all};

    #[test]
    fn workloads_are_chosen_by_name() {
        let ids = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            chosen(all(Scale::Quick), &only).map(|found| found.iter().map(|it| it.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&["W2", "W1"]).expect("both are there"), ["W1", "W2"]);
        assert!(ids(&[]).expect("all").len() > 5);
        assert!(ids(&["W99"]).expect_err("no such workload").to_string().contains("W1, "));
    }
}
