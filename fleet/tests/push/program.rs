//! A program that is as small as one can be: it becomes `/bin/sh -c SCRIPT`. Agents for tests are made of it, as what is no
//! program of the host's machine is never brought.

const BASE: u32 = 0x40_0000;
const HEADERS: u32 = 64 + 56;

/// An ELF program (elf(5)) for x86_64 that runs `script`.
pub fn becoming(script: &str) -> Vec<u8> {
    let code = 39;
    let (argv, text) = (BASE + HEADERS + code, BASE + HEADERS + code + 40);
    let words: Vec<&[u8]> = vec![b"/bin/sh\0", b"-c\0", script.as_bytes(), b"\0agent\0"];
    let mut program = headers();
    program.extend([0x48, 0x8b, 0x04, 0x24]); // mov rax, [rsp]
    program.extend([0x48, 0x8d, 0x54, 0xc4, 0x10]); // lea rdx, [rsp + 8 * rax + 16]: the environment
    program.extend(with(0xbf, text)); // mov edi, path
    program.extend(with(0xbe, argv)); // mov esi, argv
    program.extend(with(0xb8, 59)); // mov eax, execve
    program.extend([0x0f, 0x05]); // syscall
    program.extend(with(0xbf, 127)); // mov edi, 127
    program.extend(with(0xb8, 60)); // mov eax, exit
    program.extend([0x0f, 0x05, 0x90]); // syscall; nop
    assert_eq!(program.len() as u32, HEADERS + code);
    let ends = [0, 8, 11, 11 + script.len() as u32 + 1].map(|at| u64::from(text + at));
    program.extend(ends.into_iter().chain([0]).flat_map(u64::to_le_bytes));
    program.extend(words.concat());
    program
}

fn with(code: u8, value: u32) -> Vec<u8> {
    [&[code][..], &value.to_le_bytes()].concat()
}

/// One segment: all of the file.
fn headers() -> Vec<u8> {
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    head.extend(u64::from(BASE + HEADERS).to_le_bytes());
    head.extend(64u64.to_le_bytes());
    head.extend([0; 12]);
    head.extend([64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    head.extend([1, 0, 0, 0, 7, 0, 0, 0]);
    head.extend(
        [0u64, u64::from(BASE), u64::from(BASE), 1 << 30, 1 << 30, 4096].map(u64::to_le_bytes).concat(),
    );
    assert_eq!(head.len() as u32, HEADERS);
    head
}
