//! A shell of root behind a program, as a transport: containers and namespaces of this machine, entered by `nsenter`, `podman exec` or
//! `lxc-attach`. What is started there gets nothing of our environment. It must not be used for hosts that a network is in front of.

use super::pipe::{Pipe, Received, Remote};
use crate::trouble::{Stage, Trouble};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much of standard error is kept.
const ERRORS: usize = 64 << 10;
const CHUNK: usize = 32 << 10;
/// So many pieces may wait to be received.
const WAITING: usize = 4096;
/// Where programs are looked for, here and there.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A place on this machine that is entered by a program.
#[derive(Clone, Debug)]
pub struct Spawned {
    /// The program and its arguments; those of the command follow.
    prefix: Vec<String>,
    /// What it knows of ours.
    env: Vec<(OsString, OsString)>,
}

impl Spawned {
    /// What `prefix` enters: it runs the argv that follows it there, as root, with our standard streams.
    ///
    /// # Panics
    /// Where `prefix` is empty.
    pub fn behind(prefix: Vec<String>) -> Self {
        assert!(!prefix.is_empty(), "who enters is a program");
        Self { prefix, env: Vec::new() }
    }

    /// The same, with these variables for the program that enters, such as who it has to ask for that. It is one that hands none of them on.
    pub fn knowing(self, env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { env: env.into_iter().collect(), ..self }
    }
}

impl Remote for Spawned {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let mut program = start(&self.prefix[0]);
        program.args(&self.prefix[1..]).args(["/bin/sh", "-c", command]);
        program.env_clear().envs([("PATH", PATH), ("LC_ALL", "C"), ("HOME", "/root"), ("USER", "root")]);
        program.envs(self.env.iter().map(|(name, value)| (name, value)));
        // A `^C` at our terminal is for us.
        program.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = program.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Trouble::Here(format!("{} is needed, and is not there", self.prefix[0])),
            _ => Trouble::Here(format!("{} cannot be started: {error}", self.prefix[0])),
        })?;
        Ok(Box::new(SpawnedPipe::new(child)))
    }
}

#[expect(clippy::disallowed_methods, reason = "the place where what enters a box is started")]
fn start(program: &str) -> Command {
    Command::new(program)
}

/// A running command. It is killed with this value.
struct SpawnedPipe {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    /// What came and was not taken yet.
    left: Vec<u8>,
    errors: Arc<Mutex<Vec<u8>>>,
    /// Who gathers them.
    gatherer: Option<JoinHandle<()>>,
    /// A copy, for who looks at it.
    said: Vec<u8>,
}

impl SpawnedPipe {
    fn new(mut child: Child) -> Self {
        let (sender, output) = sync_channel(WAITING);
        let errors = Arc::new(Mutex::new(Vec::new()));
        if let Some(stream) = child.stdout.take() {
            thread::spawn(move || hand_on(stream, &sender));
        }
        let gatherer = child.stderr.take().map(|stream| {
            let errors = errors.clone();
            thread::spawn(move || gather(stream, &errors))
        });
        let input = child.stdin.take();
        Self { child, input, output, left: Vec::new(), errors, gatherer, said: Vec::new() }
    }

    fn look(&mut self) {
        self.said.clone_from(&self.errors.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What a command said last may still be on its way when it has ended; and who was left behind may hold its standard error open. So long is waited.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Reads until nobody writes any more, or nobody wants it.
fn hand_on(mut stream: impl Read, sender: &SyncSender<Vec<u8>>) {
    let mut piece = vec![0; CHUNK];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        if sender.send(piece[..count].to_vec()).is_err() {
            return;
        }
    }
}

fn gather(mut stream: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = vec![0; CHUNK];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&piece[..count]);
        let over = kept.len().saturating_sub(ERRORS);
        kept.drain(..over);
    }
}

impl Pipe for SpawnedPipe {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let Some(input) = &mut self.input else { return Err(lost("the command's input has ended")) };
        input.write_all(bytes).and_then(|()| input.flush()).map_err(|error| lost(&error.to_string()))
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        if self.left.is_empty() {
            let got = self.output.recv_timeout(patience);
            self.look();
            match got {
                Ok(piece) => self.left = piece,
                Err(RecvTimeoutError::Timeout) => return Ok(Received::Nothing),
                Err(RecvTimeoutError::Disconnected) => return Ok(Received::End),
            }
        }
        let count = self.left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(Received::Bytes(count))
    }

    fn errors(&self) -> &[u8] {
        &self.said
    }

    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble> {
        let until = Instant::now() + patience;
        self.input = None;
        self.left.clear();
        // Somebody left behind may keep the streams open; the command itself is what is waited for.
        loop {
            if let Some(status) = self.child.try_wait().map_err(|error| lost(&error.to_string()))? {
                let until = Instant::now() + LAST_WORDS;
                let is_on_its_way = || self.gatherer.as_ref().is_some_and(|it| !it.is_finished());
                while is_on_its_way() && Instant::now() < until {
                    thread::sleep(Duration::from_millis(1));
                }
                self.look();
                return Ok(status.code());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(lost(&format!("the command has not ended within {} s", patience.as_secs_f32())));
            }
            match self.output.recv_timeout(left.min(Duration::from_millis(20))) {
                Err(RecvTimeoutError::Disconnected) => thread::sleep(left.min(Duration::from_millis(1))),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for SpawnedPipe {
    fn drop(&mut self) {
        // One that has ended keeps its number until it is waited for; then the number may be somebody else's.
        if matches!(self.child.try_wait(), Ok(None)) {
            // It may end by itself in this moment.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn lost(because: &str) -> Trouble {
    Trouble::Lost { stage: Stage::Elevate, because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::Spawned;
    use crate::remote::{Received, Remote};
    use std::time::{Duration, Instant};

    const LIMIT: Duration = Duration::from_secs(20);

    fn here() -> Spawned {
        Spawned::behind(vec!["env".to_owned()])
    }

    #[test]
    fn a_command_is_talked_with_and_has_nothing_of_our_environment() {
        let mut pipe =
            here().exec("read -r line; echo \"$line\" \"${CARGO:-none}\"; echo bad >&2; exit 7").unwrap();
        pipe.send(b"hello\n").unwrap();
        let (mut got, mut buffer) = (Vec::new(), [0; 3]);
        while let Received::Bytes(count) = pipe.receive(&mut buffer, LIMIT).unwrap() {
            got.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(pipe.finish(LIMIT), Ok(Some(7)));
        assert_eq!(
            (String::from_utf8(got).unwrap().as_str(), pipe.errors()),
            ("hello none\n", &b"bad\n"[..])
        );
    }

    #[test]
    fn who_enters_is_found_and_told_by_what_it_knows() {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/usr/bin/env", directory.path().join("keel-enters")).unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let known = [("PATH", path.as_str()), ("DOCKER_HOST", "tcp://x")]
            .map(|(name, value)| (name.into(), value.into()));
        let mut enters = Spawned::behind(vec!["keel-enters".to_owned()]).knowing(known);
        let mut pipe = enters.exec("test \"$DOCKER_HOST\" = tcp://x").unwrap();
        assert_eq!(pipe.finish(LIMIT), Ok(Some(0)));
    }

    #[test]
    fn much_goes_both_ways_at_once() {
        let mut pipe = here().exec("cat").unwrap();
        let bytes = vec![b'x'; 3 << 20];
        pipe.send(&bytes).unwrap();
        let (mut got, mut buffer) = (0, vec![0; 64 << 10]);
        while got < bytes.len() {
            let Received::Bytes(count) = pipe.receive(&mut buffer, LIMIT).unwrap() else { panic!("{got}") };
            got += count;
        }
        assert_eq!(pipe.finish(LIMIT), Ok(Some(0)));
    }

    #[test]
    fn what_is_left_alone_is_killed_and_what_does_not_end_is_told() {
        let began = Instant::now();
        let mut pipe = here().exec("sleep 60").unwrap();
        assert_eq!(pipe.receive(&mut [0], Duration::from_millis(10)), Ok(Received::Nothing));
        assert!(pipe.finish(Duration::from_millis(50)).is_err());
        drop(pipe);
        let missing = Spawned::behind(vec!["no-such-program-here".to_owned()]).exec("true");
        assert!(missing.err().unwrap().to_string().contains("is needed"));
        assert!(began.elapsed() < LIMIT);
    }
}
