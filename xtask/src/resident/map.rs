//! What the linker wrote of where it put things (lld's `-Map`): the functions of Rust in a program, each with its crate, and with its name
//! as it is in the next build too. It reads text, and knows no process.

/// The hash at the end of a name (rustc's legacy mangling), with what precedes it.
const HASH: &str = "17h";

const SELDOM: &str = "unlikely.";

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// Where it stands, from the start of the program on.
    pub address: u64,
    /// The crate for which it was compiled.
    pub krate: String,
    /// The name of its section behind `.text.`, `*` in place of what is another one in the next build.
    pub pattern: String,
}

/// All functions of a map.
pub fn functions(map: &str) -> Vec<Function> {
    map.lines().filter_map(function).collect()
}

/// `VMA LMA SIZE ALIGN FILE:(SECTION)`, in hexadecimal.
fn function(line: &str) -> Option<Function> {
    let (place, section) = line.trim_end().strip_suffix(')')?.split_once(":(.text.")?;
    let mut words = place.split_whitespace();
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    let size = u64::from_str_radix(words.nth(1)?, 16).ok().filter(|size| *size > 0);
    // What is called seldom has a section of its own sort.
    let (sort, name) = section.strip_prefix(SELDOM).map_or(("", section), |name| (SELDOM, name));
    let (krate, pattern) = (krate(words.last()?)?, format!("{sort}{}", pattern(name)?));
    size.map(|_| Function { address, krate: krate.to_owned(), pattern })
}

/// Of an object of rustc's: `…/PROGRAM.CRATE-HASH.….rcgu.o` where what is linked was optimized as one, with no hash for the program's own,
/// else `…/libCRATE-HASH.rlib(CRATE-HASH.CRATE.….rcgu.o)`.
fn krate(object: &str) -> Option<&str> {
    let (_, name) = object.trim_end_matches(')').strip_suffix(".rcgu.o")?.rsplit_once(['/', '('])?;
    name.split('.').nth(1)?.split('-').next()
}

/// A name without what is another one in the next build; `None` for what is not Rust's.
fn pattern(name: &str) -> Option<String> {
    if name.starts_with("_ZN") {
        let (path, _) = name.rsplit_once(HASH)?;
        return Some(format!("{path}{HASH}*"));
    }
    // The standard library's names: a crate is `C`, `s` with a number to base 62, `_`, and its own name (RFC 2603).
    let mut parts = name.split(".llvm.").next()?.strip_prefix("_R")?.split("Cs");
    let mut pattern = format!("_R{}", parts.next()?);
    for part in parts {
        let number =
            part.find('_').filter(|end| part[..*end].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        pattern.push_str("Cs");
        pattern.push_str(&number.map_or(part.to_owned(), |end| format!("*{}", &part[end..])));
    }
    Some(format!("{pattern}*"))
}

#[cfg(test)]
mod tests {
    use super::{Function, functions, pattern};

    #[test]
    fn functions_are_read() {
        let map = "\
             VMA              LMA     Size Align Out     In      Symbol
          79fa00           79fa00       22    16         /usr/lib/Scrt1.o:(.text)
          7cc5a0           7cc5a0       4d    16         /t/deps/keel-3a.agent-06.agent.be-cgu.1.rcgu.o.rcgu.o:(.text._ZN5agent3run17h0aE)
          7cc5a0           7cc5a0       4d     1                 agent::run::h0a
          7cc700           7cc700       4d    16         /t/deps/libwire-06.rlib(wire-06.wire.be-cgu.1.rcgu.o):(.text._ZN4wire3run17h0aE)
          7cc5f0           7cc5f0        0    16         /t/deps/keel-3a.agent-06.agent.be-cgu.1.rcgu.o.rcgu.o:(.text._ZN5agent4none17h0aE)
          7cc600           7cc600       4d    16         /t/deps/keel-3a.keel.5e-cgu.0.rcgu.o:(.text.unlikely._ZN4core3ptr17h0aE.llvm.3)
";
        let function = |(address, krate, pattern): (u64, &str, &str)| Function {
            address,
            krate: krate.to_owned(),
            pattern: pattern.to_owned(),
        };
        let wanted = [
            (0x7c_c5a0, "agent", "_ZN5agent3run17h*"),
            (0x7c_c700, "wire", "_ZN4wire3run17h*"),
            (0x7c_c600, "keel", "unlikely._ZN4core3ptr17h*"),
        ];
        assert_eq!(functions(map), wanted.map(function));
    }

    #[test]
    fn a_name_is_known_in_the_next_build() {
        for (name, wanted) in [
            ("_ZN5agent6engine3run17h82b3c314d59c9459E", Some("_ZN5agent6engine3run17h*")),
            ("_ZN4core3ptr17h82b3c314d59c9459E.llvm.1386", Some("_ZN4core3ptr17h*")),
            (
                "_RNvMs2_NtCsjr3l9_3std2fsNtB5_4File4sync.llvm.9",
                Some("_RNvMs2_NtCs*_3std2fsNtB5_4File4sync*"),
            ),
            ("_RNvCsa_3std8CsvLines", Some("_RNvCs*_3std8CsvLines*")),
            ("main", None),
        ] {
            assert_eq!(pattern(name).as_deref(), wanted, "{name}");
        }
    }
}
