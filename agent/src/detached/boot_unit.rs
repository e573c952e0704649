//! The unit that starts this program at the next boot, there only while something needs it: a run that goes on after a reboot, or
//! one that has not been confirmed. What is to be done then stands in the host's state; `role` is how it is asked for.
//!
//! The program is kept beside the state under a name of its own: neither a newer push nor an upgrade of the package that brought it
//! takes it away.

use super::role::{Role, quoted};
use crate::os::atomic_write::{Content, Keep, Target, WhenBusy, atomic_write};
use crate::os::attributes::Attributes;
use crate::os::error::Doing;
use crate::os::make::{make_directory, make_symlink};
use crate::os::parent::Parent;
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use crate::os::{Expect, FileKind};
use crate::state::StateDir;
use model::Failure;
use rustix::fs::{AtFlags, CWD, linkat};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Name of the unit.
const NAME: &str = "evenkeel-boot.service";

/// Where an administrator's units are (systemd.unit(5)).
const UNITS: &str = "/etc/systemd/system";

/// The running program, whatever became of its name.
const RUNNING: &str = "/proc/self/exe";

/// The boot unit of a host whose state is in one directory.
#[derive(Clone, Debug)]
pub struct BootUnit {
    state: PathBuf,
    units: PathBuf,
}

/// True where systemd runs the host (sd_booted(3)).
pub fn is_booted_with_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

impl BootUnit {
    /// The one for `state`; nothing is read or written yet.
    pub fn of(state: &StateDir) -> Self {
        Self { state: state.root().to_owned(), units: UNITS.into() }
    }

    /// The program that the unit starts, which stays where it is while the unit is there.
    pub fn program(&self) -> PathBuf {
        self.state.join("bin").join("boot")
    }

    /// Has this program started at the next boot. It is so, durably, when this returns.
    ///
    /// # Errors
    /// `Refused` where there is no systemd to do so; or it could not be written.
    pub fn enable(&self) -> Result<(), Failure> {
        if !is_booted_with_systemd() {
            let why = "nothing can be started at the next boot: systemd does not run this host";
            return Err(Failure::refused(why, "reboot it by hand, and apply again"));
        }
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let text = self.text()?;
        self.keep_program()?;
        put(&self.units.join(NAME), 0o644, &mut Cursor::new(text))?;
        let wants = self.wants();
        if safe_path::look(&wants, Follow::No)?.is_none() {
            make_directory(&wants, Attributes { uid: None, gid: None, mode: Some(0o755) })?;
        }
        let (link, temp) = (wants.join(NAME), temp_name(NAME.as_ref()));
        clear(&link, &temp)?;
        let target = self.units.join(NAME);
        let owner = Attributes { uid: None, gid: None, mode: None };
        Ok(make_symlink(&link, target.as_os_str(), &temp, owner, Expect::Anything)?)
    }

    /// Removes the unit where nothing needs it any more.
    ///
    /// # Errors
    /// It could not be looked at or removed.
    pub fn release(&self) -> Result<(), Failure> {
        if self.is_needed()? {
            return Ok(());
        }
        // From the end that starts things: what is left by a crash between two of these does nothing.
        let parts = [self.wants().join(NAME), self.units.join(NAME), self.program()];
        // That of another state directory is not for us to remove.
        let found = safe_path::read_file(&parts[1], Follow::No, 1 << 16)?;
        let ours = quoted(self.state.as_os_str()).map(|state| format!(" \"boot\" {state}\n"));
        let is_ours = |text: &[u8]| ours.is_some_and(|end| String::from_utf8_lossy(text).contains(&end));
        if found.is_some_and(|(text, _)| !is_ours(&text)) {
            return Ok(());
        }
        for part in parts {
            if safe_path::look(&part, Follow::No)?.is_some() {
                remove(&part, Expect::Anything)?;
            }
        }
        Ok(())
    }

    /// True while a run waits to be confirmed, or to go on after a reboot, or a fault is to be taken back.
    fn is_needed(&self) -> Result<bool, Failure> {
        let is_there =
            |name: &str| safe_path::look(&self.state.join(name), Follow::No).map(|it| it.is_some());
        Ok(is_there("pending")?
            || is_there(crate::drills::NAME)?
            || StateDir::new(&self.state).goes_on()?.is_some())
    }

    fn wants(&self) -> PathBuf {
        self.units.join("multi-user.target.wants")
    }

    /// What the unit says. It never holds up the boot, and does not wait for a network that a run may have broken.
    fn text(&self) -> Result<Vec<u8>, Failure> {
        let role = Role::Boot { state: self.state.clone() };
        let argv = role.argv(&self.program());
        let argv: Option<Vec<String>> = argv.iter().map(|word| quoted(word)).collect();
        let line = argv.map(|argv| argv.join(" ")).ok_or_else(|| {
            let why = format!("the name of {} cannot stand in a unit", self.state.display());
            Failure::refused(why, "say another --state-dir")
        })?;
        Ok(format!(
            "# Evenkeel put this here, and takes it away when it is done.\n\
             [Unit]\n\
             Description=Evenkeel goes on after a boot\n\
             \n\
             [Service]\n\
             Type=exec\n\
             ExecStart={line}\n\
             KillMode=mixed\n\
             Restart=on-failure\n\
             RestartSec=5\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n"
        )
        .into_bytes())
    }

    /// Puts the running program where the unit starts it from: as a second name of it where that goes, as with one that a push brought.
    fn keep_program(&self) -> Result<(), Failure> {
        let (path, bin) = (self.program(), self.state.join("bin"));
        if safe_path::look(&bin, Follow::No)?.is_none() {
            make_directory(&bin, Attributes { uid: None, gid: None, mode: Some(0o700) })?;
        }
        let own = std::env::current_exe().map_err(|error| Failure::io("find", RUNNING, error))?;
        // Only a file that is ours alone may have two names: others may be managed, and then have one.
        if own.parent() == Some(&bin) && self.link(&path).is_ok() {
            return Ok(());
        }
        let mut program = File::open(RUNNING).map_err(|error| Failure::io("open", RUNNING, error))?;
        put(&path, 0o700, &mut program)
    }

    fn link(&self, path: &Path) -> Result<(), Failure> {
        let (parent, temp) = (Parent::open(path)?, temp_name(path.file_name().unwrap_or_default()));
        clear(path, &temp)?;
        let linked = linkat(CWD, RUNNING, &parent.dir, &temp, AtFlags::SYMLINK_FOLLOW);
        linked.doing("link", path)?;
        parent.take_name(&temp, Expect::Anything)?;
        // Where both are names of one file, rename(2) does nothing and leaves both.
        clear(path, &temp)?;
        Ok(parent.sync()?)
    }
}

fn temp_name(name: &OsStr) -> OsString {
    let mut temp = OsString::from(".");
    temp.push(name);
    temp.push(".keel");
    temp
}

/// Removes a temporary name that a crash left.
fn clear(path: &Path, temp: &OsStr) -> Result<(), Failure> {
    let temp = path.with_file_name(temp);
    match safe_path::look(&temp, Follow::No)? {
        Some(meta) if meta.kind() == FileKind::Directory => {
            Err(Failure::refused(format!("{} is a directory", temp.display()), "remove it"))
        }
        Some(_) => Ok(remove(&temp, Expect::Anything)?),
        None => Ok(()),
    }
}

/// Puts a file of root, whole and durably.
fn put(path: &Path, mode: u32, content: &mut dyn Content) -> Result<(), Failure> {
    let temp = temp_name(path.file_name().unwrap_or_default());
    clear(path, &temp)?;
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let target = Target {
        path,
        temp_name: &temp,
        uid,
        gid,
        mode,
        keep: Keep::Inherited,
        expect: Expect::Anything,
        busy: WhenBusy::Refuse,
    };
    atomic_write(&target, content, None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::BootUnit;
    use crate::state::StateDir;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;

    /// A state directory, and a place for units.
    fn scratch() -> (tempfile::TempDir, BootUnit) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        std::fs::create_dir(dir.path().join("units")).unwrap();
        let unit = BootUnit { units: dir.path().join("units"), ..BootUnit::of(&state) };
        (dir, unit)
    }

    fn count(dir: &Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn the_unit_names_a_program_that_is_there_and_goes_with_it() {
        let (_dir, unit) = scratch();
        // Twice is once.
        (0..2).for_each(|_| unit.write().unwrap());
        let link = unit.wants().join("evenkeel-boot.service");
        let text = std::fs::read_to_string(std::fs::canonicalize(&link).unwrap()).unwrap();
        let state = unit.state.display();
        let line = format!("\nExecStart=\"{state}/bin/boot\" \"boot\" \"{state}\"\n");
        assert!(text.contains(&line), "{text}");
        let program = std::fs::metadata(unit.program()).unwrap();
        assert_eq!(program.permissions().mode() & 0o7777, 0o700);
        assert_eq!(program.size(), std::fs::metadata("/proc/self/exe").unwrap().size());
        assert_eq!((count(&unit.units), count(&unit.state.join("bin"))), (2, 1));
        unit.release().unwrap();
        unit.release().unwrap();
        assert_eq!((count(&unit.units), count(&unit.wants()), count(&unit.state.join("bin"))), (1, 0, 0));
    }

    #[test]
    fn it_stays_while_something_needs_it() {
        let (_dir, unit) = scratch();
        unit.write().unwrap();
        std::fs::File::create_new(unit.state.join("pending")).unwrap();
        unit.release().unwrap();
        assert!(unit.wants().join("evenkeel-boot.service").exists());
    }

    #[test]
    fn that_of_another_state_directory_stays() {
        let (dir, unit) = scratch();
        unit.write().unwrap();
        let other = BootUnit { state: dir.path().join("other"), ..unit.clone() };
        other.release().unwrap();
        assert!(unit.units.join("evenkeel-boot.service").exists());
    }
}
