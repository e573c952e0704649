//! Which machine a program is for, by its ELF header. A program for another machine must never come to a host: a shell that
//! cannot execute a file takes it for a script.

/// Machines as uname(2) names them, with `e_machine` of elf(5), and whether the low byte comes first.
const MACHINES: &[(&str, u16, ByteOrder)] = &[
    ("x86_64", 62, ByteOrder::Low),
    ("i686", 3, ByteOrder::Low),
    ("aarch64", 183, ByteOrder::Low),
    ("armv7l", 40, ByteOrder::Low),
    ("armv6l", 40, ByteOrder::Low),
    ("riscv64", 243, ByteOrder::Low),
    ("loongarch64", 258, ByteOrder::Low),
    ("ppc64le", 21, ByteOrder::Low),
    ("s390x", 22, ByteOrder::High),
];

/// `EI_DATA`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Low = 1,
    High = 2,
}

/// Checks that `program` is an ELF program for the machine that uname(2) calls `name`. Says why not.
pub fn check(program: &[u8], name: &str) -> Result<(), String> {
    let known = MACHINES.iter().find(|(machine, ..)| *machine == name);
    let (_, expected, order) = known.ok_or_else(|| format!("no machine is known by the name {name}"))?;
    let [0x7f, b'E', b'L', b'F', _, data, ..] = program else {
        return Err("it is no ELF program".to_owned());
    };
    let Some(&[one, two]) = program.get(18..20) else { return Err("it ends within its header".to_owned()) };
    let found = match data {
        1 => u16::from_le_bytes([one, two]),
        2 => u16::from_be_bytes([one, two]),
        other => return Err(format!("its header has the unknown byte order {other}")),
    };
    if found == *expected && *data == *order as u8 {
        return Ok(());
    }
    let theirs = MACHINES.iter().find(|(_, machine, order)| *machine == found && *data == *order as u8);
    let theirs = theirs.map_or_else(|| format!("machine {found}"), |(name, ..)| (*name).to_owned());
    Err(format!("it is a program for {theirs}"))
}

#[cfg(test)]
mod tests {
    use super::check;

    fn program(data: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut bytes = [&b"\x7fELF\x02"[..], &[data], &[0; 12], &machine].concat();
        bytes.resize(64, 0);
        bytes
    }

    #[test]
    fn a_program_is_for_the_machine_that_its_header_names() {
        for (data, machine, name, why) in [
            (1, [62, 0], "x86_64", ""),
            (2, [0, 22], "s390x", ""),
            (1, [183, 0], "x86_64", "it is a program for aarch64"),
            (2, [0, 62], "x86_64", "it is a program for machine 62"),
            (1, [99, 1], "x86_64", "it is a program for machine 355"),
            (3, [62, 0], "x86_64", "its header has the unknown byte order 3"),
            (1, [62, 0], "vax", "no machine is known by the name vax"),
        ] {
            assert_eq!(
                check(&program(data, machine), name),
                if why.is_empty() { Ok(()) } else { Err(why.into()) }
            );
        }
        assert_eq!(check(b"#!/bin/sh", "x86_64"), Err("it is no ELF program".to_owned()));
        assert_eq!(check(b"\x7fELF\x02\x01", "x86_64"), Err("it ends within its header".to_owned()));
    }
}
