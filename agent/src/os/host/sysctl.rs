//! Values of the running kernel (proc_sys(5)): set by one write each, as the kernel wants it. In a throwaway copy of the machine, which
//! has the machine's own kernel, they are written down and believed. It must not judge a value: the kernel does.

use super::host::{Host, Manager, locked};
use model::{Failure, HostPath, Op, Text, sysctl_key};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, write};

impl Host<'_> {
    pub(super) fn set_sysctl(&self, path: &HostPath, value: &Text) -> Result<(), Failure> {
        if sysctl_key(path).is_none() {
            return Err(Failure::refused(format!("{path} is no value of the kernel"), "write it as a file"));
        }
        if let Manager::Recorded(recording) = &self.manager {
            let mut recording = locked(recording);
            let op = Op::SetSysctl { path: path.clone(), value: value.clone() };
            recording.lines.push(op.to_string());
            recording.values.insert(path.clone(), value.expose().to_owned());
            return Ok(());
        }
        set(path, value.expose())
    }

    /// What was written down instead of being set.
    pub(super) fn recorded_value(&self, path: &HostPath) -> Option<Vec<u8>> {
        let Manager::Recorded(recording) = &self.manager else { return None };
        locked(recording).values.get(path).map(|value| format!("{value}\n").into_bytes())
    }
}

fn set(path: &HostPath, value: &str) -> Result<(), Failure> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path.as_path(), flags, Mode::empty()).map_err(|error| refusal(path, error))?;
    let bytes = format!("{value}\n").into_bytes();
    loop {
        match write(&file, &bytes) {
            Ok(count) if count == bytes.len() => return Ok(()),
            Ok(_) => return Err(Failure::io("set", path, "the kernel took only a part of the value")),
            Err(Errno::INTR) => {}
            Err(error) => return Err(refusal(path, error)),
        }
    }
}

fn refusal(path: &HostPath, error: Errno) -> Failure {
    match error {
        Errno::NOENT | Errno::NOTDIR => Failure::Missing { what: path.to_string() },
        Errno::ROFS => Failure::refused(
            format!("{path} can only be read here, as in a container"),
            "set it on the machine that the container runs on, or by what starts the container",
        ),
        error => Failure::io("set", path, std::io::Error::from(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{refusal, set};
    use crate::os::host::Host;
    use crate::system::System;
    use crate::undo::MemoryKeep;
    use model::{Failure, HostPath, Op, Text};
    use rustix::io::Errno;
    use std::sync::Arc;

    fn path(text: &str) -> HostPath {
        HostPath::new(text).unwrap()
    }

    #[test]
    fn what_the_kernel_refuses_is_told() {
        assert!(matches!(set(&path("/proc/sys/keel/none"), "1"), Err(Failure::Missing { .. })));
        let told = refusal(&path("/proc/sys/a/b"), Errno::ROFS).to_string();
        assert!(told.contains("as in a container"), "{told}");
    }

    #[test]
    fn a_copy_of_the_machine_believes_and_leaves_the_kernel_alone() {
        let host = Host::offline(Arc::new(MemoryKeep::default()), Default::default());
        let at = path("/proc/sys/kernel/ostype");
        let before = std::fs::read(at.as_path()).unwrap();
        let attempt = crate::system::Attempt { tag: "t".to_owned(), timeout: None };
        let value = Text::Plain("Keel".to_owned());
        host.execute(&Op::SetSysctl { path: at.clone(), value }, &attempt).unwrap();
        assert_eq!(host.read(&at, 100).unwrap(), b"Keel\n");
        assert_eq!(std::fs::read(at.as_path()).unwrap(), before);
        assert_eq!(host.recorded(), ["set_sysctl kernel.ostype = Keel"]);
    }

    #[test]
    fn nothing_else_is_written_to() {
        let host = Host::new(Arc::new(MemoryKeep::default()));
        let told = host.set_sysctl(&path("/etc/motd"), &Text::Plain("x".to_owned())).unwrap_err().to_string();
        assert!(told.contains("is no value of the kernel"), "{told}");
    }
}
