//! What is at work, by class: whether one more task may begin beside it. It knows classes alone; `run` knows the nodes.

use crate::kind::Class;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks at work, counted by class. A task may have several.
#[derive(Debug, Default)]
pub(super) struct AtWork(BTreeMap<Class, usize>);

impl AtWork {
    /// True where nothing is at work.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True where one more task of these classes may begin.
    pub(super) fn has_room(&self, classes: &BTreeSet<Class>) -> bool {
        classes.iter().all(|class| self.0.get(class).copied().unwrap_or(0) < class.most())
    }

    /// A task begins.
    pub(super) fn begin(&mut self, classes: &BTreeSet<Class>) {
        classes.iter().for_each(|class| *self.0.entry(*class).or_insert(0) += 1);
    }

    /// It has ended.
    pub(super) fn end(&mut self, classes: &BTreeSet<Class>) {
        for class in classes {
            if let Some(count) = self.0.get_mut(class) {
                *count -= 1;
            }
        }
        self.0.retain(|_, count| *count > 0);
    }

    /// How many workers nodes of these classes can keep busy.
    pub(super) fn workers(classes: impl Iterator<Item = Class>) -> usize {
        let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
        classes.for_each(|class| *counts.entry(class).or_insert(0) += 1);
        counts.into_iter().map(|(class, count)| count.min(class.most())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::AtWork;
    use crate::kind::Class;
    use std::collections::BTreeSet;

    #[test]
    fn each_class_has_room_of_its_own() {
        let (files, units) = (BTreeSet::from([Class::Files]), BTreeSet::from([Class::Units]));
        let mut work = AtWork::default();
        for _ in 0..Class::Files.most() {
            assert!(work.has_room(&files));
            work.begin(&files);
        }
        assert!(!work.has_room(&files) && work.has_room(&units));
        work.begin(&units);
        let both = BTreeSet::from([Class::Files, Class::Units]);
        work.end(&files);
        assert!(work.has_room(&files) && !work.has_room(&units) && !work.has_room(&both));
        work.end(&units);
        assert!(work.has_room(&both));
        (1..Class::Files.most()).for_each(|_| work.end(&files));
        assert!(work.is_empty());
    }

    #[test]
    fn there_are_no_more_workers_than_can_be_at_work() {
        let of = |classes: &[Class]| AtWork::workers(classes.iter().copied());
        assert_eq!(of(&[Class::Units; 9]), 1);
        assert_eq!(of(&[Class::Files, Class::Files, Class::Packages]), 3);
        assert_eq!(of(&[Class::Files; 999]), Class::Files.most());
    }
}
