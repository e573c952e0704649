//! Permission bits as users write them: `"0644"` or symbolic, as chmod(1) of GNU coreutils reads it with umask 0.
//!
//! Pure: given the bits found it says the bits wanted. A mode that cannot be read keeps its reason until `problem` is
//! asked, because an error of serde could not carry help.

use model::Problem;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::LazyLock;

/// Permission, set-id and sticky bits.
const ALL: u32 = 0o7777;
const SET_ID: u32 = 0o6000;

/// What the bits belong to: `X` and the set-id bits mean different things for directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// A mode as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Octal(u32),
    Symbolic(Vec<Change>),
    Unreadable { message: String, help: String },
}

/// One `op` of a clause such as `u+rw`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// Bits of those for whom it is.
    affected: u32,
    op: Sign,
    bits: Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Add,
    Take,
    Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    /// These; with true also x, where it is a directory or somebody has x.
    Given(u32, bool),
    /// Those that u (0o700), g (0o070) or o (0o007) has.
    CopyOf(u32),
}

impl Mode {
    /// `o-rwx`: nothing for others, which is the least that secret content gets.
    pub fn not_for_others() -> &'static Self {
        static MODE: LazyLock<Mode> = LazyLock::new(|| Mode::parse("o-rwx"));
        &MODE
    }

    fn parse(text: &str) -> Self {
        let is_octal = |text: &str| text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        if matches!(text.len(), 3 | 4)
            && is_octal(text)
            && let Ok(bits) = u32::from_str_radix(text, 8)
        {
            return Self(Form::Octal(bits));
        }
        let help = if text.starts_with(|first: char| first.is_ascii_digit()) {
            r#"write three or four octal digits, such as mode = "0644""#
        } else {
            r#"write octal digits, such as mode = "0644", or clauses as of chmod(1), such as "u=rw,go=r""#
        };
        let unreadable = |message| Self(Form::Unreadable { message, help: help.to_owned() });
        let Some(changes) = clauses(text) else { return unreadable(format!("`{text}` is not a mode")) };
        let mode = Self(Form::Symbolic(changes));
        if mode.settles() { mode } else { unreadable(format!("`{text}` changes the mode at each run")) }
    }

    fn of_number(number: u64) -> Self {
        // 644 was meant to be octal, and 420 is what TOML makes of 0o644: owners rarely have fewer rights than others.
        let sane = |bits: &u32| bits & 0o7000 == 0 && (bits >> 6) & (bits >> 3) & 7 == (bits >> 3) & 7;
        let digits = u32::from_str_radix(&number.to_string(), 8).ok().filter(|bits| *bits <= ALL);
        let value = u32::try_from(number).ok().filter(|bits| *bits <= ALL);
        let meant = digits.filter(sane).or(value.filter(sane)).or(digits).or(value).unwrap_or(0o644);
        let message = format!("a mode is a string, not the integer {number}");
        Self(Form::Unreadable { message, help: format!(r#"write mode = "{meant:04o}""#) })
    }

    /// What is wrong with it as the value of `key`.
    pub fn problem(&self, key: &str) -> Option<Problem> {
        let Form::Unreadable { message, help } = &self.0 else { return None };
        Some(Problem::at(key, message.clone()).help(help.clone()))
    }

    /// The wanted bits where `found` are there. An octal mode is exact, also for the set-id bits of a directory, which
    /// chmod(1) would keep.
    pub fn of(&self, found: u32, target: Target) -> u32 {
        match &self.0 {
            Form::Octal(bits) => *bits,
            Form::Symbolic(changes) => changes.iter().fold(found & ALL, |bits, it| it.on(bits, target)),
            Form::Unreadable { .. } => found,
        }
    }

    /// The wanted bits of an entry of a tree that is given this mode: a file never gains x, set-id or sticky bits.
    pub fn in_tree(&self, found: u32, target: Target) -> u32 {
        let bits = self.of(found, target);
        let kept = if found & 0o111 == 0 { found & 0o7000 } else { found & 0o7000 | 0o111 };
        match target {
            Target::Directory => bits,
            Target::File => bits & (0o666 | kept),
        }
    }

    /// True where applying it twice is applying it once, whatever was there: `u=g,g=o` is not so.
    fn settles(&self) -> bool {
        let Form::Symbolic(changes) = &self.0 else { return true };
        let depends = |change: &Change| !matches!(change.bits, Bits::Given(_, false));
        let settled = |found, target| {
            let once = self.of(found, target);
            self.of(once, target) == once
        };
        !changes.iter().any(depends)
            || (0..=ALL).all(|bits| settled(bits, Target::File) && settled(bits, Target::Directory))
    }
}

impl Change {
    /// As `mode_adjust` of gnulib's modechange.c.
    fn on(&self, found: u32, target: Target) -> u32 {
        let given = match self.bits {
            Bits::Given(bits, _) => bits,
            Bits::CopyOf(whose) => whose,
        };
        // Set-id bits of a directory change only where they are named.
        let named = self.affected & given;
        let spared = if target == Target::Directory { SET_ID & !named } else { 0 };
        let value = match self.bits {
            Bits::CopyOf(whose) => copied(found & whose),
            Bits::Given(bits, true) if target == Target::Directory || found & 0o111 != 0 => bits | 0o111,
            Bits::Given(bits, _) => bits,
        };
        let value = value & self.affected & !spared;
        match self.op {
            Sign::Add => found | value,
            Sign::Take => found & !value,
            Sign::Set => (found & (!self.affected | spared)) | value,
        }
    }
}

/// Rights that one has, given to all three.
fn copied(rights: u32) -> u32 {
    let rights = (rights >> 6) | (rights >> 3) | rights;
    (rights & 7) * 0o111
}

/// Comma-separated `[ugoa]*([-+=]([rwxXst]*|[ugo]))+`.
fn clauses(text: &str) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    for clause in text.split(',') {
        let signs = |it: char| matches!(it, '+' | '-' | '=');
        let (who, mut rest) = clause.split_at(clause.find(signs)?);
        let affected = who.chars().try_fold(0, |bits, it| Some(bits | class(it)?))?;
        let affected = if who.is_empty() { ALL } else { affected };
        while let Some(sign) = rest.chars().next() {
            let op = match sign {
                '+' => Sign::Add,
                '-' => Sign::Take,
                _ => Sign::Set,
            };
            let end = rest[1..].find(signs).map_or(rest.len(), |at| at + 1);
            changes.push(Change { affected, op, bits: bits(&rest[1..end])? });
            rest = &rest[end..];
        }
    }
    Some(changes)
}

fn class(letter: char) -> Option<u32> {
    Some(match letter {
        'u' => 0o4700,
        'g' => 0o2070,
        'o' => 0o1007,
        'a' => ALL,
        _ => return None,
    })
}

fn bits(text: &str) -> Option<Bits> {
    if let "u" | "g" | "o" = text {
        return Some(Bits::CopyOf(class(text.chars().next()?)? & 0o777));
    }
    let right = |letter| {
        Some(match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            's' => SET_ID,
            't' => 0o1000,
            'X' => 0,
            _ => return None,
        })
    };
    let given = text.chars().try_fold(0, |bits, letter| Some(bits | right(letter)?))?;
    Some(Bits::Given(given, text.contains('X')))
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ModeVisitor)
    }
}

struct ModeVisitor;

impl Visitor<'_> for ModeVisitor {
    type Value = Mode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mode such as \"0644\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Mode, E> {
        Ok(Mode::parse(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Mode, E> {
        Ok(Mode::of_number(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Mode, E> {
        Ok(Mode::of_number(number.unsigned_abs()))
    }
}

/// In the schema a mode is a string.
impl schemars::JsonSchema for Mode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }

    fn inline_schema() -> bool {
        true
    }
}
