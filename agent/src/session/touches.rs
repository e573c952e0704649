//! What the runs that are rolled back did to each subject, and on what: from their journals alone, but for what is mounted now.
//!
//! The first before-image of a subject is the goal, its last after-image is what the run left. `restoration` makes ops of it.

use model::{Act, HostPath, Op, Outcome, PathState, State, Status, Subject};
use std::collections::BTreeMap;

/// What a run did to one subject.
pub(super) struct Touch<'a> {
    /// As it was before.
    pub(super) goal: &'a State,
    /// As the run left it, and as each attempt to roll it back did.
    pub(super) left: Vec<&'a State>,
    /// True where an op was cut off or failed, so that nobody knows what it left.
    pub(super) unknown: bool,
    /// Who touched it last.
    pub(super) act: &'a Act,
    /// What was mounted at it or above then, of what these runs had mounted or unmounted by that time; `None` where nobody knows.
    on: Vec<(&'a HostPath, Option<&'a State>)>,
}

/// All that was touched.
pub(super) type Touches<'a> = BTreeMap<&'a Subject, Touch<'a>>;

/// What is mounted now at the places where something was mounted or unmounted.
pub(super) type Mounted<'a> = BTreeMap<&'a HostPath, State>;

/// Subjects by what was done to them, and in the order of their last touch.
pub(super) fn touches(status: &Status) -> (Touches<'_>, Vec<&Subject>) {
    let mut touches: Touches<'_> = BTreeMap::new();
    let mut order: Vec<&Subject> = Vec::new();
    let mut mounted: BTreeMap<&HostPath, Option<&State>> = BTreeMap::new();
    for act in status.acts.values() {
        for (subject, before, left) in images(act) {
            order.retain(|known| *known != subject);
            order.push(subject);
            let mut on = Vec::new();
            match subject {
                Subject::Mount(at) => mounted.extend([(at, left)]),
                Subject::Path(path) => {
                    on.extend(
                        mounted.iter().filter(|(at, _)| path.starts_with(at)).map(|(at, on)| (*at, *on)),
                    );
                }
                _ => {}
            }
            let goal = touches.get(subject).map_or(before, |touch| touch.goal);
            let (left, unknown) = (left.into_iter().collect(), left.is_none());
            touches.insert(subject, Touch { goal, left, unknown, act, on });
        }
    }
    (touches, order)
}

impl<'a> Touch<'a> {
    /// The place at which by now something else is mounted than what this was touched on, if so: what is seen by its name is another thing.
    pub(super) fn gone_with(&self, mounted: &Mounted<'a>) -> Option<&'a HostPath> {
        let is_other =
            |at: &HostPath, then: &State| mounted.get(at).is_some_and(|now| !is_same_mount(then, now));
        self.on.iter().find(|(at, then)| then.is_some_and(|then| is_other(at, then))).map(|(at, _)| *at)
    }
}

/// Whether both are the same file system, or the same part of it, with whatever options.
fn is_same_mount(one: &State, other: &State) -> bool {
    match (one, other) {
        (State::Mount(Some(one)), State::Mount(Some(other))) => {
            (&one.source, &one.fs, &one.root) == (&other.source, &other.fs, &other.root)
        }
        (one, other) => one == other,
    }
}

/// What an op touched: before-image, and after-image where that is known. A new user comes last, so that he goes before the home that came
/// with him: a run after a death in between makes him again, and would make no home for one who is there.
fn images(act: &Act) -> impl Iterator<Item = (&Subject, &State, Option<&State>)> {
    let (after, others) = match &act.outcome {
        Outcome::Done(after, others) => (after.as_slice(), others.as_slice()),
        Outcome::Failed(_, others) => (&[][..], others.as_slice()),
        Outcome::Open => (&[][..], &[][..]),
    };
    let named = act.before.iter().map(move |(subject, before)| {
        (subject, before, after.iter().find(|(other, _)| other == subject).map(|(_, state)| state))
    });
    let all = named.chain(others.iter().map(|(subject, before, after)| (subject, before, Some(after))));
    let is_new = |subject: &Subject| matches!((&act.op, subject), (Op::AddUser(_), Subject::User(_)));
    let (last, first): (Vec<_>, Vec<_>) = all.partition(|(subject, ..)| is_new(subject));
    first.into_iter().chain(last)
}

/// What an attempt to roll back left is nobody else's doing.
pub(super) fn amend<'a>(touches: &mut Touches<'a>, act: &'a Act) {
    for (subject, _, left) in images(act) {
        if let Some(touch) = touches.get_mut(subject) {
            touch.unknown |= left.is_none();
            touch.left.extend(left);
        }
    }
}

/// True for a directory that was made to mount something there: as long as that is mounted, its root is what is seen in its place.
pub(super) fn is_place(subject: &Subject, touches: &Touches<'_>) -> bool {
    let Subject::Path(path) = subject else { return false };
    let was_absent = |touch: &Touch<'_>| *touch.goal == State::Path(PathState::Absent);
    touches.get(subject).is_some_and(was_absent) && touches.contains_key(&Subject::Mount(path.clone()))
}

/// Such a directory goes after what is mounted there, also where attributes of that were set later. What stands last goes first.
pub(super) fn places_after_mounts<'a>(touches: &Touches<'_>, order: &mut Vec<&'a Subject>) {
    let places: Vec<&'a Subject> = order.extract_if(.., |subject| is_place(subject, touches)).collect();
    for place in places {
        let is_its = |mount: &&Subject| matches!((*mount, place), (Subject::Mount(at), Subject::Path(path)) if at == path);
        let at = order.iter().position(is_its).unwrap_or(0);
        order.insert(at, place);
    }
}

#[cfg(test)]
mod tests {
    use super::{Mounted, is_place, places_after_mounts, touches};
    use model::{Act, HostPath, MountState, Op, Outcome, PathState, State, Status, Subject};

    fn act(before: (Subject, State)) -> Act {
        let (op, outcome) = (Op::ReloadManager, Outcome::Open);
        Act { nodes: Vec::new(), op, before: vec![before], packages: None, outcome }
    }

    #[test]
    fn a_directory_that_was_made_for_a_mount_goes_after_it() {
        let at = |path: &str| HostPath::new(path).unwrap();
        let path = |path: &str| Subject::Path(at(path));
        let gone = || State::Path(PathState::Absent);
        let [source, fs, root, options] = ["tmpfs", "tmpfs", "/", "rw"].map(str::to_owned);
        let other = State::Mount(Some(MountState { source, fs, root, options }));
        let (a, b) = (Subject::Mount(at("/a")), Subject::Mount(at("/b")));
        // One that was made, whose root got attributes in the end; one that was there.
        let acts = [
            (path("/a"), gone()),
            (a.clone(), State::Mount(None)),
            (path("/etc/fstab"), gone()),
            (b.clone(), other),
            (path("/a"), gone()),
            (path("/a/x"), gone()),
        ];
        let acts = acts.into_iter().map(act).zip(1..).map(|(act, seq)| (seq, act)).collect();
        let status = Status { acts, ..Status::default() };
        let (touches, mut order) = touches(&status);
        places_after_mounts(&touches, &mut order);
        order.reverse();
        assert_eq!(order, [&path("/a/x"), &b, &path("/etc/fstab"), &a, &path("/a")]);
        let places = order.iter().filter(|subject| is_place(subject, &touches));
        assert_eq!(places.collect::<Vec<_>>(), [&&path("/a")]);
    }
    fn mount(source: &str, options: &str) -> State {
        let [source, fs, root, options] = [source, "ext4", "/", options].map(str::to_owned);
        State::Mount(Some(MountState { source, fs, root, options }))
    }

    /// What was done, in order: the subject, and as it was left.
    fn status(acts: &[(&Subject, State)]) -> Status {
        let act = |(subject, left): &(&Subject, State)| {
            let outcome = Outcome::Done(vec![((*subject).clone(), left.clone())], Vec::new());
            let before = match subject {
                Subject::Mount(_) => State::Mount(None),
                _ => State::Path(PathState::Absent),
            };
            Act { outcome, ..act(((*subject).clone(), before)) }
        };
        let acts = (1..).zip(acts.iter().map(act)).collect();
        Status { acts, ..Status::default() }
    }

    #[test]
    fn what_lies_on_another_file_system_by_now_is_known() {
        let place = HostPath::new("/a").unwrap();
        let (a, path) = (Subject::Mount(place.clone()), Subject::Path(HostPath::new("/a/x").unwrap()));
        let special = State::Path(PathState::Special { what: "x".to_owned() });
        let (on, under) = (
            vec![(&a, mount("b", "rw")), (&path, special.clone())],
            vec![(&path, special), (&a, mount("b", "rw"))],
        );
        for (acts, now, gone) in [
            (&on, mount("b", "ro"), None),
            (&on, State::Mount(None), Some(&place)),
            (&on, mount("c", "rw"), Some(&place)),
            (&under, mount("b", "rw"), None),
        ] {
            let status = status(acts);
            let (touches, _) = touches(&status);
            let mounted: Mounted<'_> = [(&place, now)].into();
            assert_eq!(touches[&path].gone_with(&mounted), gone, "{mounted:?}");
        }
    }
}
