//! What a host says about itself. Inert data: never a template, never a path on the controller.

use serde::{Deserialize, Serialize};

/// The operating system, from os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsFacts {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `ID_LIKE`, split at spaces.
    pub id_like: Vec<String>,
    /// `VERSION_ID`, such as `12`; empty where there is none.
    pub version: String,
    /// `VERSION_CODENAME`, such as `bookworm`; empty where there is none.
    pub codename: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

/// What templates and `when` see under `facts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The operating system.
    pub os: OsFacts,
    /// Name of the host, without a domain.
    pub hostname: String,
    /// Machine of uname(2), such as `x86_64`.
    pub arch: String,
    /// Debian's name of the architecture, such as `amd64`.
    pub deb_arch: String,
    /// Release of the kernel.
    pub kernel: String,
    /// Processors online.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Addresses of the interfaces other than loopback, IPv4 first, sorted.
    pub addresses: Vec<String>,
    /// Name of process 1, such as `systemd`.
    pub init: String,
    /// `container`, `vm` or `physical`, as far as it can be told without starting a process; else `unknown`.
    pub virtualization: String,
}
