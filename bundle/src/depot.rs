//! The bundle in force on a host, and the counter that no later one may fall behind. What is written here appears whole or not at all, also
//! where the power goes: first the bundle, then the record that names it. Whatever goes wrong, what was in force stays so.

use crate::allowed::Signer;
use crate::archive::{Bundle, LARGEST};
use crate::digests::Digests;
use crate::pointer::{self, Pointer};
use crate::publish::latest;
use crate::refusal::Refusal;
use crate::seal;
use crate::source::Source;
use crate::verify::{self, Policy, Verified};
use model::Digest;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The record of what is in force.
const RECORD: &str = "in-force.json";
/// Held by whoever takes a bundle.
const LOCK: &str = "lock";
/// No record is larger, in bytes.
const MOST: u64 = 64 << 10;
/// What is not in its place yet is called so.
const INCOMING: &str = ".incoming-";

/// A directory that holds the bundle in force.
#[derive(Clone, Debug)]
pub struct Depot(PathBuf);

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The site.
    pub site: String,
    /// The counter of the bundle, and the smallest that is taken from now on.
    pub counter: u64,
    /// The bundle.
    pub sha256: Digest,
    /// Who signed it.
    pub signer: String,
    /// The key it was signed with.
    pub key: String,
    /// When it was put in force, in seconds since 1970.
    pub since: i64,
    /// Where it came from.
    pub from: String,
}

/// What came of looking for a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The place has the one that is in force already.
    Same(Record),
    /// It was taken, and is in force.
    New(Record),
}

impl Depot {
    /// In that directory, which nobody else may write to; it is made where it is not there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// Fetches what the place has for the site, verifies it, and puts it in force.
    ///
    /// # Errors
    /// Why not. What was in force stays so.
    pub fn take(&self, from: &dyn Source, site: &str, policy: &Policy<'_>) -> Result<Taken, Refusal> {
        self.take_if(from, site, policy, &|_| Ok(()))
    }

    /// The same, where `is_fit` has nothing against a new one either: it says why not.
    ///
    /// # Errors
    /// As of [`Depot::take`].
    pub fn take_if(
        &self,
        from: &dyn Source,
        site: &str,
        policy: &Policy<'_>,
        is_fit: &dyn Fn(&Bundle) -> Result<(), String>,
    ) -> Result<Taken, Refusal> {
        self.make()?;
        let lock = File::create_new(self.0.join(LOCK)).or_else(|_| File::open(self.0.join(LOCK)));
        let lock = lock.and_then(|file| file.lock().map(|()| file));
        let _held = lock.map_err(|error| Refusal::io("lock", self.0.display(), error))?;
        let policy = Policy { site: Some(site), ..*policy };
        let before = self.record()?;
        if let Some(before) = &before {
            // Who was ended in the midst of it has left what came until then.
            self.tidy(&before.sha256)?;
        }
        let pointer = latest(from, site)?;
        let nothing = || Refusal::Nothing { site: site.to_owned(), place: from.place() };
        let pointer = pointer.ok_or_else(nothing)?;
        if let Some(before) = &before {
            let is_same = before.site == site && before.sha256 == pointer.sha256;
            // One that is damaged here is fetched again.
            if is_same && matches!(self.in_force(), Ok(Some(_))) {
                return Ok(Taken::Same(before.clone()));
            }
            // Only said, but there is no use in fetching it.
            is_newer(before, (site, pointer.counter, pointer.sha256))?;
        }
        // Neither is there where a stranger says that it is his.
        policy.allowed.signer(&seal::claimed(pointer.signature.as_bytes())?, seal::NAMESPACE, policy.now)?;
        let (file, verified) = self.fetch(from, &pointer, &policy)?;
        let manifest = verified.bundle.manifest();
        if let Some(before) = &before {
            is_newer(before, (&manifest.site, manifest.counter, verified.bundle.digest()))?;
        }
        is_fit(&verified.bundle).map_err(|why| Refusal::Useless { counter: manifest.counter, why })?;
        let Signer { principals, key } = verified.signer.clone();
        let record = Record {
            site: manifest.site.clone(),
            counter: manifest.counter,
            sha256: verified.bundle.digest(),
            signer: principals,
            key,
            since: policy.now,
            from: from.place(),
        };
        self.keep(file, &self.path(&record.sha256))?;
        self.enforce(&record)?;
        self.tidy(&record.sha256)?;
        Ok(Taken::New(record))
    }

    /// What is in force; `None` where nothing was taken yet.
    ///
    /// # Errors
    /// Where that cannot be told. Nothing is taken then: the counter would be lost.
    pub fn record(&self) -> Result<Option<Record>, Refusal> {
        let path = self.0.join(RECORD);
        let cannot = |why: String| Refusal::io("read", path.display(), why);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| cannot(error.to_string()))?,
        };
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text).map_err(|error| cannot(error.to_string()))?;
        let damaged = |error| cannot(format!("it is damaged: {error}"));
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// The bundle in force. Its signature was verified when it was taken, and is not asked for again: who may not sign any more has not
    /// unsigned what is there.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what was put there.
    pub fn in_force(&self) -> Result<Option<(Record, Bundle)>, Refusal> {
        let Some(record) = self.record()? else { return Ok(None) };
        let path = self.path(&record.sha256);
        let file = File::open(&path).map_err(|error| Refusal::io("open", path.display(), error))?;
        let digests = verify::digests(&file)?;
        if digests.sha256 != record.sha256 {
            return Err(Refusal::Damaged { name: path.display().to_string() });
        }
        let bundle = Bundle::open(Arc::new(file), &digests)?;
        Ok(Some((record, bundle)))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.0.join(pointer::object(digest))
    }

    fn make(&self) -> Result<(), Refusal> {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| Refusal::io("make", self.0.display(), error))
    }

    /// Into a file without its name yet.
    fn fetch(
        &self,
        from: &dyn Source,
        pointer: &Pointer,
        policy: &Policy<'_>,
    ) -> Result<(tempfile::NamedTempFile, Verified), Refusal> {
        let cannot = |error| Refusal::io("write to", self.0.display(), error);
        let temporary = tempfile::Builder::new().prefix(INCOMING).tempfile_in(&self.0).map_err(cannot)?;
        let name = pointer::object(&pointer.sha256);
        let place = || format!("{}/{name}", from.place());
        let mut to = BufWriter::new(temporary.as_file());
        let size = from.get(&name, pointer.size.min(LARGEST), &mut to)?;
        size.ok_or_else(|| Refusal::BadPointer {
            place: place(),
            why: "the pointer names it, and it is not there".to_owned(),
        })?;
        to.flush().map_err(cannot)?;
        drop(to);
        let file = temporary.reopen().map_err(cannot)?;
        let digests = Digests::of(&file, LARGEST).map_err(cannot)?;
        match digests.size {
            have if have < pointer.size => return Err(Refusal::CutOff { have, want: pointer.size }),
            _ if digests.sha256 != pointer.sha256 => {
                return Err(Refusal::OtherContent { place: place(), wanted: pointer.sha256 });
            }
            _ => {}
        }
        let verified = verify::verify(Arc::new(file), pointer.signature.as_bytes(), policy)?;
        Ok((temporary, verified))
    }

    /// Durable before it has its name, and its name durable before anything names it.
    fn keep(&self, file: tempfile::NamedTempFile, to: &Path) -> Result<(), Refusal> {
        let cannot = |error| Refusal::io("write", to.display(), error);
        file.as_file().sync_all().map_err(cannot)?;
        file.persist(to).map_err(|error| cannot(error.error))?;
        File::open(&self.0).and_then(|dir| dir.sync_all()).map_err(cannot)
    }

    fn enforce(&self, record: &Record) -> Result<(), Refusal> {
        let cannot = |error| Refusal::io("write to", self.0.display(), error);
        let mut file = tempfile::Builder::new().prefix(INCOMING).tempfile_in(&self.0).map_err(cannot)?;
        let text = serde_json::to_string_pretty(record).expect("strings and numbers are JSON");
        writeln!(file, "{text}").map_err(cannot)?;
        self.keep(file, &self.0.join(RECORD))
    }

    /// Removes what is in force no more, and what a power cut left.
    fn tidy(&self, in_force: &Digest) -> Result<(), Refusal> {
        let cannot = |error| Refusal::io("clear", self.0.display(), error);
        let own = pointer::object(in_force);
        for entry in fs::read_dir(&self.0).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name();
            let name = name.to_string_lossy();
            let is_old = name.ends_with(".bundle") && *name != own;
            if is_old || name.starts_with(INCOMING) {
                fs::remove_file(self.0.join(&*name)).map_err(cannot)?;
            }
        }
        Ok(())
    }
}

fn is_newer(before: &Record, (site, counter, digest): (&str, u64, Digest)) -> Result<(), Refusal> {
    if before.site != site {
        return Err(Refusal::OtherSite { found: site.to_owned(), wanted: before.site.clone() });
    }
    if counter < before.counter {
        return Err(Refusal::Older { found: counter, seen: before.counter });
    }
    match counter == before.counter && digest != before.sha256 {
        true => Err(Refusal::SameCounter { counter }),
        false => Ok(()),
    }
}
