//! The list of what the agent of a host runs: written from what `traced` saw, read by `dist`, which has the linker put it side by side.
//! The kernel maps 64 KB around each page that is run: functions that are scattered over 24 MB hold ten of them in memory.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::map::Function;
use crate::{cmd, dist};

/// The list: a crate and the name of a function in it a line, `*` in place of what is another one in the next build.
const LIST: &str = "cli/resident.txt";

/// Where they stand in the program.
const SECTION: &str = ".text.resident";

/// As many bytes they are, about: fewer where the list is old, more where it names what others run as well.
const SIZES: std::ops::Range<u64> = 1 << 20..6 << 20;

/// Adds to the list what a process runs, from when it becomes `keel` to its end: one that has stopped itself just before. `map` is what the
/// linker wrote of that `keel`.
///
/// # Errors
/// It cannot be watched, or a file cannot be read or written.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub fn add(process: i32, map: &Path) -> Result<()> {
    let text = std::fs::read(map).with_context(|| format!("cannot read {}", map.display()))?;
    let functions = super::map::functions(&String::from_utf8_lossy(&text));
    let ran = super::traced::functions(process, &functions)?;
    ensure!(!ran.is_empty(), "it ran nothing that {} has: is it of another program?", map.display());
    let mut lines: BTreeSet<String> = read()?.lines().map(str::to_owned).collect();
    let known = lines.len();
    lines.extend(ran.iter().map(line));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(cmd::workspace().join(LIST), text).with_context(|| format!("cannot write {LIST}"))?;
    println!(
        "{} functions were run; {LIST} has {} lines, {} of them new",
        ran.len(),
        lines.len(),
        lines.len() - known
    );
    Ok(())
}

/// Elsewhere nobody can tell.
///
/// # Errors
/// Always.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub fn add(_: i32, _: &Path) -> Result<()> {
    anyhow::bail!("functions are watched on Linux and x86-64 alone")
}

fn read() -> Result<String> {
    std::fs::read_to_string(cmd::workspace().join(LIST)).with_context(|| format!("cannot read {LIST}"))
}

fn line(function: &Function) -> String {
    format!("{} {}", function.krate, function.pattern)
}

/// The linker's options: a script in `target` by which they stand side by side, and that it writes where all stands, to `target/keel.map`.
///
/// # Errors
/// The list cannot be read, or the script cannot be written.
pub fn options() -> Result<[String; 4]> {
    let (text, target) = (script_of(&read()?), dist::target());
    // By another name cargo knows that it is another one, and links again.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let script = target.join(format!("resident-{:016x}.ld", hasher.finish()));
    std::fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    std::fs::write(&script, text).with_context(|| format!("cannot write {}", script.display()))?;
    let option = |words: &str, path: &Path| format!("link-arg=-Wl,{words}{}", path.display());
    let (script, map) = (option("-T,", &script), option("-Map=", &target.join("keel.map")));
    Ok(["-C".to_owned(), script, "-C".to_owned(), map])
}

/// A script that adds to the linker's own (GNU ld's manual, "INSERT"; lld takes the same). Objects have the names that rustc gives them; one
/// that is named otherwise stays where it is.
fn script_of(list: &str) -> String {
    let input = |line: &str| {
        let (krate, name) = line.split_once(' ')?;
        Some(format!("    *.{krate}[-.]*.rcgu.o(.text.{name})\n"))
    };
    let inputs: String = list.lines().filter_map(input).collect();
    format!("SECTIONS\n{{\n  {SECTION} : {{\n{inputs}  }}\n}}\nINSERT BEFORE .text;\n")
}

/// Says how many bytes of a program they are. None is no fault of the program: a linker may know its objects by other names.
///
/// # Errors
/// The program cannot be read.
pub fn tell(keel: &Path) -> Result<()> {
    let sections = cmd::quiet(&mut cmd::command(&["readelf".as_ref(), "-SW".as_ref(), keel.as_os_str()]))?;
    let size = size(&sections).unwrap_or(0);
    println!("{}\t{size} bytes of it are what an agent runs, as {LIST} has it", keel.display());
    if !SIZES.contains(&size) {
        eprintln!("{LIST} is not what an agent runs any more: docs/performance.md says how it is made");
    }
    Ok(())
}

/// The size of ours in the table of sections: `[15] NAME TYPE ADDRESS OFFSET SIZE …`, in hexadecimal.
fn size(sections: &str) -> Option<u64> {
    let line = sections.lines().find_map(|line| line.split_once(&format!("{SECTION} ")))?.1;
    u64::from_str_radix(line.split_whitespace().nth(3)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{script_of, size};

    #[test]
    fn the_linker_is_told_each() {
        let script = script_of("agent _ZN1a17h*\nkeel unlikely._ZN1b17h*\n");
        let both = "*.agent[-.]*.rcgu.o(.text._ZN1a17h*)\n    *.keel[-.]*.rcgu.o(.text.unlikely._ZN1b17h*)";
        assert!(script.contains(both), "{script}");
        assert!(script.ends_with("}\nINSERT BEFORE .text;\n"), "{script}");
    }

    #[test]
    fn the_size_is_read() {
        let line = "  [14] .text.resident PROGBITS 00000000000016b8 0006b8 1a0015 00  AX  0   0  16\n";
        assert_eq!(size(&format!("  [13] .text PROGBITS 0 0 5 0\n{line}")), Some(0x1a_0015));
        assert_eq!(size("  [13] .text PROGBITS 0 0 5 0\n"), None);
    }
}
