//! Things that were said of several hosts, each kept once with the hosts it was said of.

/// The things, in the order in which they came up.
pub struct Told<T> {
    list: Vec<(T, Vec<String>)>,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<T: PartialEq> Told<T> {
    /// It is said of `host`.
    pub fn tell(&mut self, thing: T, host: &str) {
        match self.list.iter_mut().find(|(other, _)| *other == thing) {
            Some((_, hosts)) if hosts.iter().any(|one| one == host) => {}
            Some((_, hosts)) => hosts.push(host.to_owned()),
            None => self.list.push((thing, vec![host.to_owned()])),
        }
    }

    /// Whether anything was said of `host`.
    pub fn is_about(&self, host: &str) -> bool {
        self.list.iter().any(|(_, hosts)| hosts.iter().any(|one| one == host))
    }

    /// All of them; none are left.
    pub fn take(&mut self) -> Vec<(T, Vec<String>)> {
        std::mem::take(&mut self.list)
    }
}
