//! One agent: its bytes, the digest it goes by on hosts, and its packed form, made once for all hosts.

use flate2::Compression;
use flate2::write::GzEncoder;
use model::Digest;
use std::io::{self, Write};
use std::sync::OnceLock;

/// A program that can be put on hosts of one machine.
pub struct Agent {
    /// The machine as uname(2) names it, such as `x86_64`.
    pub arch: String,
    /// Digest of the program; part of its name on hosts.
    pub digest: Digest,
    program: Vec<u8>,
    packed: OnceLock<Result<Vec<u8>, String>>,
}

impl Agent {
    pub(crate) fn new(arch: String, program: Vec<u8>) -> Self {
        Self { digest: Digest::of(&program), arch, program, packed: OnceLock::new() }
    }

    /// The program in the form of gzip(1), made when the first host wants it.
    ///
    /// # Errors
    /// It cannot be packed, in words.
    pub fn packed(&self) -> Result<&[u8], String> {
        let packed = self.packed.get_or_init(|| pack(&self.program).map_err(|error| error.to_string()));
        packed.as_deref().map_err(Clone::clone)
    }
}

fn pack(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(program)?;
    packer.finish()
}
