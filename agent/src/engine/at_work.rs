//! What is at work, by class: whether one more task may begin beside it. It knows classes alone; `run` knows the nodes.

use crate::kind::Class;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks at work, counted by class. A task may have several.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    classes: BTreeMap<Class, usize>,
    tasks: usize,
}

impl AtWork {
    /// True where nothing is at work.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks == 0
    }

    /// True where one more task of these classes may begin; it counts as `weight` of them.
    pub(super) fn has_room(&self, classes: &BTreeSet<Class>, weight: usize) -> bool {
        classes.iter().all(|class| self.classes.get(class).copied().unwrap_or(0) + weight <= class.most())
    }

    /// A task begins.
    pub(super) fn begin(&mut self, classes: &BTreeSet<Class>, weight: usize) {
        classes.iter().for_each(|class| *self.classes.entry(*class).or_insert(0) += weight);
        self.tasks += 1;
    }

    /// It has ended.
    pub(super) fn end(&mut self, classes: &BTreeSet<Class>, weight: usize) {
        for class in classes {
            if let Some(count) = self.classes.get_mut(class) {
                *count -= weight;
            }
        }
        self.classes.retain(|_, count| *count > 0);
        self.tasks -= 1;
    }

    /// How many tasks are at work.
    pub(super) fn tasks(&self) -> usize {
        self.tasks
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
            assert!(work.has_room(&files, 1));
            work.begin(&files, 1);
        }
        assert!(!work.has_room(&files, 1) && work.has_room(&units, 1));
        assert_eq!(work.tasks(), Class::Files.most());
        work.begin(&units, 1);
        let both = BTreeSet::from([Class::Files, Class::Units]);
        work.end(&files, 1);
        assert!(work.has_room(&files, 1) && !work.has_room(&units, 1) && !work.has_room(&both, 1));
        work.end(&units, 1);
        assert!(work.has_room(&both, 1));
        (1..Class::Files.most()).for_each(|_| work.end(&files, 1));
        assert!(work.is_empty());
        work.begin(&files, Class::Files.most() - 1);
        assert!(work.has_room(&files, 1) && !work.has_room(&files, 2));
    }
}
