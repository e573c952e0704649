//! What a host says about itself, read from files and bare system calls; no process is started and nothing is changed.
//!
//! The texts come from the host and stay data: the compiler decides with them, nobody runs them.

use super::capture::printable;
use super::error::Doing;
use super::safe_path::{Follow, open_file, read_file};
use model::{Facts, Failure, Gather, OsFacts};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

/// The files read here are small; a larger one is not what it should be.
const LIMIT: u64 = 4 << 20;

/// The first processor of /proc/cpuinfo is within it. The kernel makes that text while it is read, so much for each processor.
const ONE_PROCESSOR: u64 = 8 << 10;

/// Collects the facts of the running system. Link-local IPv6 addresses are left out: they mean nothing beyond their link.
///
/// # Errors
/// A file that every Linux has cannot be read.
pub fn collect() -> Result<Facts, Failure> {
    let uname = rustix::system::uname();
    let text = |words: &std::ffi::CStr| printable(words.to_bytes());
    let (node, arch) = (text(uname.nodename()), text(uname.machine()));
    Ok(Facts {
        os: os_release()?,
        hostname: node.split('.').next().unwrap_or("").to_owned(),
        deb_arch: deb_arch(&arch).to_owned(),
        arch,
        kernel: text(uname.release()),
        cpus: cpus()?,
        memory_mib: memory_mib(&required("/proc/meminfo")?)?,
        addresses: addresses()?,
        init: required("/proc/1/comm")?.trim().to_owned(),
        virtualization: virtualization()?.to_owned(),
    })
}

fn optional(path: &str) -> Result<Option<String>, Failure> {
    let found = read_file(Path::new(path), Follow::Yes, LIMIT)?;
    Ok(found.map(|(bytes, _)| printable(&bytes)))
}

fn required(path: &str) -> Result<String, Failure> {
    optional(path)?.ok_or_else(|| Failure::Missing { what: path.to_owned() })
}

/// os-release(5): the file in /etc wins, the vendor's is the fallback.
fn os_release() -> Result<OsFacts, Failure> {
    let text = match optional("/etc/os-release")? {
        Some(text) => text,
        None => required("/usr/lib/os-release")?,
    };
    Ok(parse_os_release(&text))
}

fn parse_os_release(text: &str) -> OsFacts {
    let pairs = text.lines().filter_map(|line| line.trim().split_once('='));
    let fields: BTreeMap<&str, String> = pairs.map(|(key, value)| (key, unquoted(value))).gather();
    let field = |key: &str| fields.get(key).cloned().unwrap_or(String::new());
    OsFacts {
        id: fields.get("ID").cloned().unwrap_or_else(|| "linux".to_owned()),
        id_like: field("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
        version: field("VERSION_ID"),
        codename: field("VERSION_CODENAME"),
        name: field("PRETTY_NAME"),
    }
}

/// A value in quotes may escape `$`, `"`, `` ` `` and `\` by a backslash.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut out = String::new();
    let mut characters = inner.unwrap_or(value).chars();
    while let Some(character) = characters.next() {
        out.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    out
}

/// Debian's names, from dpkg's cputable and ostable; other machines keep the kernel's name.
fn deb_arch(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i386" | "i486" | "i586" | "i686" => "i386",
        "armv7l" | "armv8l" => "armhf",
        "armv5tel" | "armv6l" => "armel",
        "ppc64le" => "ppc64el",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// The processors online, from a list such as `0-3,8`. Without sysfs, what this process may use.
fn cpus() -> Result<u32, Failure> {
    let usable = || std::thread::available_parallelism().map(|count| count.get() as u32);
    match optional("/sys/devices/system/cpu/online")?.and_then(|list| count_cpus(list.trim())) {
        Some(count) => Ok(count),
        None => usable().map_err(|error| Failure::unknown("the number of processors", error.to_string())),
    }
}

fn count_cpus(list: &str) -> Option<u32> {
    let range = |range: &str| -> Option<u32> {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.split(',').map(range).sum()
}

fn memory_mib(meminfo: &str) -> Result<u64, Failure> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib / 1024).ok_or_else(|| Failure::unknown("memory", "/proc/meminfo has no MemTotal"))
}

fn addresses() -> Result<Vec<String>, Failure> {
    let interfaces = getifaddrs().map_err(|errno| Failure::unknown("addresses", errno.desc()))?;
    let mut found = BTreeSet::new();
    for interface in interfaces.filter(|it| !it.flags.contains(InterfaceFlags::IFF_LOOPBACK)) {
        let Some(address) = interface.address else { continue };
        let four = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        let six = address.as_sockaddr_in6().map(|it| it.ip()).filter(|ip| !ip.is_unicast_link_local());
        found.extend(four.or(six.map(IpAddr::V6)));
    }
    Ok(found.iter().map(IpAddr::to_string).collect())
}

/// As systemd-detect-virt(1) looks, as far as files tell.
fn virtualization() -> Result<&'static str, Failure> {
    for mark in ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"] {
        if optional(mark)?.is_some() {
            return Ok("container");
        }
    }
    let vendor = optional("/sys/class/dmi/id/sys_vendor")?;
    let mut cpu = Vec::new();
    let path = Path::new("/proc/cpuinfo");
    if let Some((file, _)) = open_file(path, Follow::Yes)? {
        file.take(ONE_PROCESSOR).read_to_end(&mut cpu).doing("read", path)?;
    }
    Ok(machine(vendor.as_deref(), &printable(&cpu)))
}

/// The kernel's `hypervisor` flag is only there on x86; elsewhere the firmware has to say who made the machine.
fn machine(vendor: Option<&str>, cpuinfo: &str) -> &'static str {
    const VIRTUAL: [&str; 9] =
        ["QEMU", "KVM", "Amazon EC2", "VMware", "innotek GmbH", "Xen", "Google", "DigitalOcean", "Hetzner"];
    let mut flags = cpuinfo.lines().filter(|line| line.starts_with("flags"));
    let x86 = flags.next();
    let by_flag = x86.is_some_and(|line| line.split_whitespace().any(|flag| flag == "hypervisor"));
    let by_vendor = vendor.is_some_and(|vendor| VIRTUAL.iter().any(|name| vendor.contains(name)));
    match (by_flag || by_vendor, vendor, x86) {
        (true, ..) => "vm",
        (false, Some(_), _) | (false, None, Some(_)) => "physical",
        (false, None, None) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::{collect, count_cpus, deb_arch, machine, memory_mib, parse_os_release};

    #[test]
    fn reads_os_release_with_and_without_quotes() {
        let text = "# made by hand\nID=ubuntu\nID_LIKE=\"debian other\"\nVERSION_ID='24.04'\nPRETTY_NAME=\"A \\\"B\\\"\"\n";
        let os = parse_os_release(text);
        assert_eq!((os.id.as_str(), os.version.as_str(), os.name.as_str()), ("ubuntu", "24.04", "A \"B\""));
        assert_eq!(os.id_like, ["debian", "other"]);
        assert_eq!(os.codename, "");
        assert_eq!(parse_os_release("").id, "linux");
    }

    #[test]
    fn counts_processors_and_memory() {
        assert_eq!((count_cpus("0-1"), count_cpus("0"), count_cpus("0-3,8-9")), (Some(2), Some(1), Some(6)));
        assert_eq!((count_cpus(""), count_cpus("3-1")), (None, None));
        assert_eq!(memory_mib("MemTotal:        2048000 kB\nMemFree: 1 kB\n"), Ok(2000));
        assert!(memory_mib("MemFree: 1 kB\n").is_err());
        assert_eq!((deb_arch("aarch64"), deb_arch("s390x")), ("arm64", "s390x"));
    }

    #[test]
    fn tells_a_virtual_machine_only_where_something_says_so() {
        assert_eq!(machine(None, "flags\t: fpu hypervisor sse\n"), "vm");
        assert_eq!(machine(Some("QEMU\n"), "Features: fp asimd\n"), "vm");
        assert_eq!(machine(Some("Dell Inc.\n"), "flags : fpu\n"), "physical");
        assert_eq!(machine(None, "Features: fp asimd\n"), "unknown");
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = collect().unwrap();
        assert!(facts.cpus > 0 && facts.memory_mib > 0 && !facts.init.is_empty());
        assert!(!facts.kernel.is_empty() && !facts.deb_arch.is_empty());
        assert!(!facts.addresses.iter().any(|address| address == "127.0.0.1" || address == "::1"));
    }
}
