//! Tests in boxes, carried out on this machine. The one place of `keel test` that needs it to be Linux: elsewhere it says so.

use crate::library::Files;
use clap::ValueEnum;
use trial::{BoxCase, Outcome};

/// What makes the boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Overlays of this machine: there at once, with nothing to set up. No service is started in them.
    #[default]
    Overlay,
    /// A minimal system of this machine's release, booted by systemd-nspawn. The first one takes a minute: its base is made by mmdebstrap,
    /// and kept.
    Nspawn,
}

impl Sort {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }
}

/// How boxes are dealt with.
#[cfg_attr(
    not(all(target_os = "linux", not(feature = "elsewhere"))),
    expect(dead_code, reason = "there are none")
)]
pub struct Dealing<'a> {
    /// The files of the site, with its secrets.
    pub files: &'a Files,
    /// The directory of the site's secrets.
    pub secrets: &'a std::path::Path,
    /// What makes the boxes, where a test does not say.
    pub sort: Sort,
    /// A system to lay booted boxes over, in place of one that is made.
    pub base: Option<std::path::PathBuf>,
    /// Whether they are left.
    pub is_kept: bool,
    /// At most so many at once.
    pub parallel: usize,
}

pub use machine::run;

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod machine {
    use super::{BoxCase, Dealing, Outcome, Sort};
    use crate::blobs::SiteBlobs;
    use crate::stop::Wishes;
    use crate::view::Stopped;
    use crate::work::beside_this_program;
    use crate::{cores, library, site};
    use dsl::Texts;
    use fleet::Agents;
    use trial::boxes::{Driver, Nspawn, Overlay};
    use trial::{After, Course, Means};

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
        let unseal = dealing.files.vault.opener(dealing.secrets, &[]);
        let means =
            Means { kinds: &kinds, library: &library, loader: dealing.files, unseal: &unseal, texts: &texts };
        let stop = Wishes::heard(Stopped::Here)?.stop;
        let nspawn = Nspawn::over(dealing.base.clone());
        let driver = |sort: Sort| -> &dyn Driver {
            match sort {
                Sort::Overlay => &Overlay,
                Sort::Nspawn => &nspawn,
            }
        };
        let one = |case: &BoxCase| {
            let sort = case.driver.as_deref().and_then(Sort::named).unwrap_or(dealing.sort);
            let course = Course {
                means,
                subjects: agent::checks::SUBJECTS,
                agents: &agents,
                contents: &|files, trees| Box::new(SiteBlobs::new(files, trees)),
                driver: driver(sort),
                after: if dealing.is_kept { After::Kept } else { After::Destroyed },
                stop: &stop,
            };
            let outcome = course.run(case);
            tell(&outcome);
            outcome
        };
        Ok(cores::on_some(cases, dealing.parallel, one))
    }
}

#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
mod machine {
    use super::{BoxCase, Dealing, Outcome};

    pub fn run(
        cases: &[BoxCase],
        _: &Dealing<'_>,
        _: &(dyn Fn(&Outcome) + Sync),
    ) -> anyhow::Result<Vec<Outcome>> {
        match cases {
            [] => Ok(Vec::new()),
            _ => anyhow::bail!("this machine is no Linux, and makes no boxes: --unit leaves them out"),
        }
    }
}
