//! Runs tests in boxes: each in one of its own, made by what the test or the user says. What is asked of a box is `trial`'s to know.

use super::dealing::Dealing;
use super::reach::reach;
use super::sort::Sort;
use crate::blobs::SiteBlobs;
use crate::stop::Wishes;
use crate::view::Stopped;
use crate::work::beside_this_program;
use crate::{library, site};
use dsl::Texts;
use fleet::Agents;
use std::path::Path;
use trial::boxes::{Containers, Driver, Engine, Lxc, Machine, Nspawn, Overlay, Ssh, Vagrant};
use trial::{After, BoxCase, Course, Ends, Means, Outcome};

/// Runs each in a box of its own, and tells its outcome when it has ended.
pub fn run(
    cases: &[BoxCase],
    dealing: &Dealing<'_>,
    tell: &(dyn Fn(&Outcome) + Sync),
) -> anyhow::Result<Vec<Outcome>> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let agents = Agents::beside(&beside_this_program()?);
    agents.look()?;
    let (kinds, library, texts) = (site::kinds(), library::roots(), Texts::default());
    let unseal = dealing.files.vault.opener(&dealing.site.join("secrets"), &[]);
    let means =
        Means { kinds: &kinds, library: &library, loader: dealing.files, unseal: &unseal, texts: &texts };
    let makers = Makers::of(cases, dealing)?;
    let stop = Wishes::heard(Stopped::Boxes)?.stop;
    let one = |case: &BoxCase| {
        let sort = sort_of(case, dealing);
        let course = Course {
            means,
            subjects: agent::checks::SUBJECTS,
            agents: &agents,
            contents: &|files, trees| Box::new(SiteBlobs::new(files, trees)),
            driver: makers.of_sort(&sort),
            after: after(dealing),
            stop: &stop,
        };
        let mut case = case.clone();
        if matches!(sort, Sort::Ssh(_)) {
            // The course rolls it back when everything else is done, whatever came of it.
            case.ends = Ends::AsItIs;
        }
        let outcome = course.run(&case);
        tell(&outcome);
        outcome
    };
    // There is only one of a host that is there already.
    let at_once = if matches!(dealing.sort, Sort::Ssh(_)) { 1 } else { dealing.parallel };
    Ok(parallel::map(cases, at_once, one))
}

fn after(dealing: &Dealing<'_>) -> After {
    if dealing.is_kept { After::Kept } else { After::Destroyed }
}

fn sort_of(case: &BoxCase, dealing: &Dealing<'_>) -> Sort {
    case.driver.as_deref().and_then(Sort::named).unwrap_or_else(|| dealing.sort.clone())
}

/// What makes the boxes of a call: one of each sort, which shares among its boxes what it has prepared.
struct Makers(Vec<(Sort, Box<dyn Driver>)>);

impl Makers {
    fn of(cases: &[BoxCase], dealing: &Dealing<'_>) -> anyhow::Result<Self> {
        let mut makers: Vec<(Sort, Box<dyn Driver>)> = Vec::new();
        for case in cases {
            let sort = sort_of(case, dealing);
            if !makers.iter().any(|(known, _)| *known == sort) {
                let driver = driver(&sort, dealing)?;
                makers.push((sort, driver));
            }
        }
        Ok(Self(makers))
    }

    fn of_sort(&self, sort: &Sort) -> &dyn Driver {
        let found = self.0.iter().find(|(known, _)| known == sort);
        &*found.expect("there is one for each test").1
    }
}

fn driver(sort: &Sort, dealing: &Dealing<'_>) -> anyhow::Result<Box<dyn Driver>> {
    let base = || dealing.base.clone();
    Ok(match sort {
        Sort::Overlay => Box::new(Overlay),
        Sort::Nspawn => Box::new(Nspawn::over(base())),
        Sort::Podman(image) => Box::new(Containers::of(Engine::Podman, image.clone(), base())),
        Sort::Docker(image) => Box::new(Containers::of(Engine::Docker, image.clone(), base())),
        Sort::Lxc => Box::new(Lxc::over(base())),
        Sort::Vagrant(of) => Box::new(Vagrant::starting(match of {
            Some(name) => Machine::Boxed(name.clone()),
            None => Machine::Of(dealing.site.join(Path::new("Vagrantfile"))),
        })),
        Sort::Ssh(name) => {
            let (names, connect) = reach(name, dealing)?;
            Box::new(Ssh::host(names, connect, after(dealing)))
        }
    })
}
