//! Modes against the chmod(1) of this machine: the same bits for a thousand random modes, on files and directories.

use agent::parts::mode::{Mode, Target};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// xorshift64*: the same sequence at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn word(&mut self, letters: &str, longest: usize) -> String {
        let length = self.roll(longest + 1);
        (0..length).map(|_| letters.as_bytes()[self.roll(letters.len())] as char).collect()
    }

    fn symbolic(&mut self) -> String {
        let mut clauses = Vec::new();
        for _ in 0..=self.roll(3) {
            let mut clause = self.word("ugoa", 2);
            for _ in 0..=self.roll(2) {
                clause.push("+-=".as_bytes()[self.roll(3)] as char);
                let copy = self.roll(4) == 0;
                clause += &if copy { self.word("ugo", 1) } else { self.word("rwxXst", 4) };
            }
            clauses.push(clause);
        }
        clauses.join(",")
    }
}

fn read(mode: &str) -> Option<Mode> {
    let mode: Mode = serde_json::from_value(mode.into()).unwrap();
    mode.problem("mode").is_none().then_some(mode)
}

fn bits_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[expect(clippy::disallowed_methods, reason = "the test asks the machine's own chmod")]
fn chmod(mode: &str, path: &Path) -> u32 {
    let mut command = std::process::Command::new("sh");
    let status = command.args(["-c", "umask 0; exec chmod -- \"$1\" \"$2\"", "sh", mode]).arg(path).status();
    assert!(status.unwrap().success(), "chmod {mode}");
    bits_of(path)
}

#[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
fn set(path: &Path, bits: u32) -> u32 {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
    bits_of(path)
}

#[test]
fn a_thousand_random_modes_mean_what_chmod_makes_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let (file, directory) = (dir.path().join("file"), dir.path().join("directory"));
    fs::OpenOptions::new().create_new(true).write(true).open(&file).unwrap();
    fs::create_dir(&directory).unwrap();
    let mut dice = Dice(0x5eed);
    let mut tried = 0;
    while tried < 1000 {
        let text = dice.symbolic();
        let Some(mode) = read(&text) else { continue };
        let (path, target) =
            if dice.roll(2) == 0 { (&file, Target::File) } else { (&directory, Target::Directory) };
        let found = set(path, dice.roll(0o10000) as u32);
        let (ours, theirs) = (mode.of(found, target), chmod(&text, path));
        assert_eq!(format!("{ours:04o}"), format!("{theirs:04o}"), "{text} on {found:04o} {target:?}");
        tried += 1;
    }
}

#[test]
fn octal_modes_are_exact() {
    for bits in [0, 0o644, 0o7777, 0o1777, 0o2775] {
        let mode = read(&format!("{bits:04o}")).unwrap();
        assert_eq!(mode.of(0o7777, Target::Directory), bits);
        assert_eq!(mode.of(0, Target::File), bits);
    }
}

#[test]
fn files_of_a_tree_gain_neither_x_nor_set_id() {
    let mode = read("2775").unwrap();
    assert_eq!(mode.in_tree(0o600, Target::File), 0o664);
    assert_eq!(mode.in_tree(0o700, Target::File), 0o775);
    assert_eq!(mode.in_tree(0o4755, Target::File), 0o775);
    assert_eq!(mode.in_tree(0o700, Target::Directory), 0o2775);
    assert_eq!(read("u-s").unwrap().in_tree(0o4755, Target::File), 0o755);
}

#[test]
fn what_cannot_be_read_says_what_to_write() {
    let help = |value: serde_json::Value| {
        let mode: Mode = serde_json::from_value(value).unwrap();
        mode.problem("mode").unwrap().help.unwrap()
    };
    assert_eq!(help(644.into()), r#"write mode = "0644""#);
    assert_eq!(help(0o644.into()), r#"write mode = "0644""#);
    assert_eq!(help(0o755.into()), r#"write mode = "0755""#);
    assert_eq!(help(u64::MAX.into()), r#"write mode = "0644""#);
    for text in ["", "9", "08", "77777", "0o644", "u", "u=rz", "z+x", "u=ug", "u=rw,", "+é", "u=g,g=o"] {
        assert!(read(text).is_none(), "{text}");
    }
}
