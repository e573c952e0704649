//! Ends what would outlive this program: a shell that waits beside it, and runs one command when this program has ended, however that
//! came, or when it is told to. What makes a box may outlive this program too: it is started here, and waited for before anything is
//! removed. What the commands are belongs to the driver.

use super::driver::unmade;
use super::lacking;
use agent::os::child::{Child, Outlet, Output};
use agent::os::tied::Tied;
use model::Failure;
use std::env::{temp_dir, var_os, vars_os};
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// What is started ends with this program; what that has forked reads the end of its input, and goes on. `keep` is the one word it knows.
/// 1: its place, which whoever makes the box holds
const SCRIPT: &str = r#"
place=$1
shift
exec 3<&0 </dev/null
trap '' PIPE
(
    echo up
    read -r word <&3 || word=
    exec 3<&-
    [ "$word" = keep ] || flock "$place" "$@" 2>&1 >/dev/null
    status=$?
    rmdir "$place"
    exit "$status"
) &
exec 3<&-
wait "$!"
"#;
/// Makes a box, unless its guard was first: then nobody would be there to remove it. 0: the place
const MAKE: &str = "[ -d \"$0\" ] && exec \"$@\"";

/// Watches over one box.
pub struct Guard {
    place: PathBuf,
    shell: Tied,
    input: Box<dyn Write + Send>,
    output: Box<dyn Read + Send>,
}

impl Guard {
    /// Of the box `name`, that `argv` removes; it is to do nothing where there is none yet. It gets the environment of this program.
    ///
    /// # Errors
    /// There is no shell to be had, or no place.
    pub fn over(name: &str, argv: &[String]) -> Result<Self, Failure> {
        lacking::programs(&[("flock", "util-linux")], &var_os("PATH").unwrap_or_default())?;
        let place = temp_dir().join(name);
        let made = DirBuilder::new().mode(0o700).create(&place);
        made.map_err(|error| Failure::io("make", place.display(), error))?;
        let words = ["sh", "-c", SCRIPT, "sh"].map(OsString::from).into_iter().chain([place.clone().into()]);
        let mut child = Child::new(words.chain(argv.iter().map(OsString::from)));
        child.env = vars_os().collect();
        let mut shell = child.start(Outlet::Piped)?;
        let (Some(input), Some(mut output)) = (shell.input(), shell.output()) else {
            return Err(Failure::unknown("the box", "its guard was started without pipes"));
        };
        // Before that nobody would be there to remove anything.
        let mut up = [0; 3];
        let heard = output.read_exact(&mut up);
        heard.map_err(|error| Failure::io("talk over", "the pipe of the guard", error))?;
        Ok(Self { place, shell, input: Box::new(input), output: Box::new(output) })
    }

    /// Runs what makes the box. Where this program ends meanwhile, that goes on to its end before the box is removed.
    ///
    /// # Errors
    /// Those of a child, and any end but exit status 0.
    pub fn make(&self, mut child: Child) -> Result<Output, Failure> {
        let front = self.front();
        // What the user is told is what was meant to be run.
        let shown = format!("{} ", front.join(" "));
        child.argv.splice(0..0, front.into_iter().map(OsString::from));
        child.run().and_then(Output::success).map_err(|failure| match failure {
            Failure::Command { argv, status, stderr } => {
                Failure::Command { argv: argv.replace(&shown, ""), status, stderr }
            }
            Failure::Timeout { what, seconds } => {
                Failure::Timeout { what: what.replace(&shown, ""), seconds }
            }
            other => other,
        })
    }

    /// What stands in front of an argv that makes the box.
    fn front(&self) -> Vec<String> {
        let place = self.place.display().to_string();
        ["flock", "--close", &place, "sh", "-c", MAKE, &place].map(str::to_owned).to_vec()
    }

    /// Removes the box now.
    ///
    /// # Errors
    /// What the command said.
    pub fn end(self) -> Result<(), Failure> {
        let Self { shell, input, mut output, .. } = self;
        drop(input);
        let mut said = String::new();
        let read = output.read_to_string(&mut said);
        shell.finish().map_err(|failure| match (read, said.trim()) {
            (Ok(_), "") | (Err(_), _) => failure,
            (Ok(_), said) => Failure::unknown("the box", said),
        })
    }

    /// Removes what there is of a box that could not be made; the failure is why it could not.
    pub fn give_up(self, why: Failure) -> Failure {
        unmade(why, self.end())
    }

    /// Leaves the box alone from now on.
    ///
    /// # Errors
    /// It could not be told.
    pub fn let_go(mut self) -> Result<(), Failure> {
        let told = self.input.write_all(b"keep\n").and_then(|()| self.input.flush());
        told.map_err(|error| Failure::io("talk over", "the pipe of the guard", error))?;
        self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::name;
    use super::Guard;
    use agent::os::child::Child;
    use model::Failure;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    fn over(script: &str, path: &Path) -> Guard {
        let words = ["sh", "-euc", script, "sh"].map(str::to_owned);
        Guard::over(&name::next(), &[&words[..], &[path.display().to_string()]].concat()).unwrap()
    }

    fn place() -> PathBuf {
        std::env::temp_dir().join(name::next())
    }

    fn is_there(path: &Path) -> bool {
        std::fs::exists(path).unwrap()
    }

    fn until_gone(path: &Path) {
        let began = Instant::now();
        while is_there(path) {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing was done");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_box_is_removed_when_that_is_asked_for_or_nobody_is_left_to_ask() {
        let place = place();
        let guard = over("mkdir \"$1\"", &place);
        let own = guard.place.clone();
        assert!(!is_there(&place) && is_there(&own));
        guard.end().unwrap();
        assert!(is_there(&place) && !is_there(&own));
        let guard = over("rmdir \"$1\"", &place);
        let own = guard.place.clone();
        guard.let_go().unwrap();
        assert!(is_there(&place) && !is_there(&own));
        drop(over("rmdir \"$1\"", &place));
        until_gone(&place);
        let failure = over("echo no such box >&2; exit 3", &place).end().unwrap_err();
        assert!(failure.to_string().contains("no such box"), "{failure}");
    }

    #[test]
    fn what_makes_a_box_is_waited_for_before_it_is_removed() {
        let place = place();
        let guard = over("rmdir \"$1\"", &place);
        let own = guard.place.clone();
        let make = "touch \"$1.begun\"; sleep 0.5; mkdir \"$1\"; rm \"$1.begun\"";
        let path = place.display().to_string();
        let words = [&guard.front()[..], &["sh", "-euc", make, "sh", &path].map(str::to_owned)].concat();
        let maker = std::thread::spawn(move || Child::new(words).run());
        while !is_there(&place.with_extension("begun")) {
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(guard);
        until_gone(&own);
        assert!(maker.join().unwrap().unwrap().status.success());
        assert!(!is_there(&place), "it was made after it was removed");
    }

    #[test]
    fn what_could_not_be_made_is_told_without_what_stands_around_it() {
        let guard = over("echo still there >&2; exit 1", &place());
        let why = guard.make(Child::new(["sh", "-c", "echo no luck >&2; exit 3"])).unwrap_err();
        assert_eq!(why.to_string(), "`sh -c echo no luck >&2; exit 3` exited with 3: no luck");
        let Failure::Unknown { because, .. } = guard.give_up(why) else { panic!("it is told as it was") };
        assert!(because.contains("no luck") && because.ends_with("still there"), "{because}");
        let guard = over("true", &place());
        assert_eq!(guard.make(Child::new(["echo", "x"])).unwrap().text().unwrap(), "x\n");
        guard.end().unwrap();
    }
}
