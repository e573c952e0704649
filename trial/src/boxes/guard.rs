//! Ends what would outlive this program: a shell that waits beside it, and runs one command when this program has ended, however that
//! came, or when it is told to. What the command is belongs to the driver.

use agent::os::child::{Child, Outlet};
use agent::os::tied::Tied;
use model::Failure;
use std::env::vars_os;
use std::io::{Read, Write};

/// What is started ends with this program; what that has forked reads the end of its input, and goes on. `keep` is the one word it knows.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
trap '' PIPE
(
    echo up
    read -r word <&3 || word=
    exec 3<&-
    [ "$word" = keep ] || exec "$@" 2>&1 >/dev/null
) &
exec 3<&-
wait "$!"
"#;

/// Watches over one box.
pub struct Guard {
    shell: Tied,
    input: Box<dyn Write + Send>,
    output: Box<dyn Read + Send>,
}

impl Guard {
    /// Of a box that `argv` removes; it is to do nothing where there is none yet. It gets the environment of this program.
    ///
    /// # Errors
    /// There is no shell to be had.
    pub fn over(argv: &[String]) -> Result<Self, Failure> {
        let words = ["sh", "-c", SCRIPT, "sh"].map(str::to_owned);
        let mut child = Child::new(words.iter().chain(argv));
        child.env = vars_os().collect();
        let mut shell = child.start(Outlet::Piped)?;
        let (Some(input), Some(mut output)) = (shell.input(), shell.output()) else {
            return Err(Failure::unknown("the box", "its guard was started without pipes"));
        };
        // Before that nobody would be there to remove anything.
        let mut up = [0; 3];
        let heard = output.read_exact(&mut up);
        heard.map_err(|error| Failure::io("talk over", "the pipe of the guard", error))?;
        Ok(Self { shell, input: Box::new(input), output: Box::new(output) })
    }

    /// Removes the box now.
    ///
    /// # Errors
    /// What the command said.
    pub fn end(self) -> Result<(), Failure> {
        let Self { shell, input, mut output } = self;
        drop(input);
        let mut said = String::new();
        let read = output.read_to_string(&mut said);
        shell.finish().map_err(|failure| match (read, said.trim()) {
            (Ok(_), "") | (Err(_), _) => failure,
            (Ok(_), said) => Failure::unknown("the box", said),
        })
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
    use super::Guard;
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn over(script: &str, path: &Path) -> Guard {
        let words = ["sh", "-euc", script, "sh"].map(str::to_owned);
        Guard::over(&[&words[..], &[path.display().to_string()]].concat()).unwrap()
    }

    #[test]
    fn a_box_is_removed_when_that_is_asked_for_or_nobody_is_left_to_ask() {
        let place = std::env::temp_dir().join(format!("keel-guard-{}", std::process::id()));
        let is_there = || std::fs::exists(&place).unwrap();
        let guard = over("mkdir \"$1\"", &place);
        assert!(!is_there());
        guard.end().unwrap();
        assert!(is_there());
        over("rmdir \"$1\"", &place).let_go().unwrap();
        assert!(is_there());
        drop(over("rmdir \"$1\"", &place));
        let began = Instant::now();
        while is_there() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing was done");
            std::thread::sleep(Duration::from_millis(10));
        }
        let failure = over("echo no such box >&2; exit 3", &place).end().unwrap_err();
        assert!(failure.to_string().contains("no such box"), "{failure}");
    }
}
