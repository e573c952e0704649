//! The checks of a call: which of them each host is asked, which are looked at from here, and what has been seen of each. The hosts of a
//! push write into it from threads of their own.

use checks::{Chosen, Looked};
use fleet::{End, Trouble};
use model::{CheckResult, CheckSide, CheckSpec};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use wire::Ending;

/// One page for each host.
#[derive(Default)]
pub struct Book {
    chosen: Chosen,
    pages: Mutex<BTreeMap<String, Page>>,
    /// The names of all checks there are, chosen or not.
    names: Mutex<Vec<String>>,
    stop: OnceLock<Arc<AtomicBool>>,
}

#[derive(Default)]
struct Page {
    address: Option<String>,
    checks: Vec<CheckSpec>,
    results: Vec<CheckResult>,
    trouble: Option<String>,
}

/// Where this machine finds itself.
const HERE: &str = "127.0.0.1";

impl Book {
    /// An empty one, for these checks.
    pub fn new(chosen: Chosen) -> Self {
        Self { chosen, ..Self::default() }
    }

    /// Nothing more is to be tried once `stop` is true.
    pub fn stops_with(&self, stop: &Arc<AtomicBool>) {
        self.stop.get_or_init(|| Arc::clone(stop));
    }

    /// Where a host is to be found; this machine unless said.
    pub fn found_at(&self, host: &str, address: &str) {
        self.with(host, |page| page.address = Some(address.to_owned()));
    }

    /// Notes the checks of a host, and gives those that the host is to look at itself.
    pub fn asks(&self, host: &str, checks: Vec<CheckSpec>) -> Vec<CheckSpec> {
        locked(&self.names).extend(checks.iter().map(|check| check.name.clone()));
        let checks: Vec<CheckSpec> = checks.into_iter().filter(|check| self.chosen.holds(check)).collect();
        let own = checks.iter().filter(|check| check.from == CheckSide::Host).cloned().collect();
        self.with(host, |page| page.checks = checks);
        own
    }

    /// What a host has seen.
    pub fn heard(&self, host: &str, results: Vec<CheckResult>) {
        self.with(host, |page| page.results.extend(results));
    }

    /// The work on a host has ended: what is looked at from here is looked at now. Takes as long as that may.
    pub fn ended(&self, host: &str, end: &End) {
        let trouble = trouble(end);
        let (address, outside) = self.with(host, |page| {
            page.trouble.clone_from(&trouble);
            let outside = page.checks.iter().filter(|check| check.from == CheckSide::Keel);
            (page.address.clone(), outside.cloned().collect::<Vec<_>>())
        });
        if trouble.is_some() || outside.is_empty() {
            return;
        }
        let stop = self.stop.get().cloned().unwrap_or_default();
        let results = checks::look_from_keel(&outside, address.as_deref().unwrap_or(HERE), &stop);
        self.heard(host, results);
    }

    /// What was seen of each host, by their names.
    pub fn looked(&self) -> Vec<Looked> {
        let pages = locked(&self.pages);
        let one = |(host, page): (&String, &Page)| {
            Looked::new(host, page.checks.clone(), &page.results, page.trouble.clone())
        };
        pages.iter().map(one).collect()
    }

    /// Names that were chosen and that no check has, with what may have been meant.
    pub fn strangers(&self) -> Vec<String> {
        let names = locked(&self.names);
        let told = |name: &str| {
            let advice = dsl::advice(name, names.iter().map(String::as_str)).unwrap_or_default();
            format!("there is no check `{name}`: {advice}")
        };
        self.chosen.strangers(&names).map(told).collect()
    }

    fn with<T>(&self, host: &str, act: impl FnOnce(&mut Page) -> T) -> T {
        act(locked(&self.pages).entry(host.to_owned()).or_default())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a host could not be asked; nothing where it answered, whatever it saw.
fn trouble(end: &End) -> Option<String> {
    match end {
        End::Ended(Ending::Unchanged | Ending::Failed) => None,
        End::Ended(Ending::Refused(failure)) => Some(failure.to_string()),
        End::Ended(other) => Some(format!("it ended its work in a way that checks have not: {other:?}")),
        End::Trouble(Trouble::NotTried) => Some("it was not tried".to_owned()),
        End::Trouble(trouble) => Some(trouble.to_string()),
        End::Refused(why) => Some(why.clone()),
    }
}
