//! The bytes of a bundle. The manifest says all: an archive is taken only if it is, byte for byte, what would be written for its manifest.
//! So there is nothing to unpack, and nothing an archive could do but be refused. Who signed it is `verify`'s business.

use crate::digests::Digests;
use crate::manifest::{self, Entry, FORMAT, Manifest};
use crate::name::Name;
use crate::refusal::Refusal;
use crate::tar::{self, BLOCK, END, Header};
use model::{Digest, Hasher, Run};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

/// No bundle is larger, in bytes.
pub const LARGEST: u64 = 1 << 30;
/// Read and compared in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// Bytes that can be read from anywhere in them.
pub trait Piece: Send + Sync {
    /// How many there are.
    ///
    /// # Errors
    /// Those of the system.
    fn length(&self) -> std::io::Result<u64>;
    /// Reads from `at` on; 0 at the end.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, into: &mut [u8], at: u64) -> std::io::Result<usize>;
}

impl Piece for std::fs::File {
    fn length(&self) -> std::io::Result<u64> {
        self.metadata().map(|meta| meta.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> std::io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, at)
    }
}

impl Piece for Vec<u8> {
    fn length(&self) -> std::io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> std::io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(count)
    }
}

/// Reads a [`Piece`] from a place on.
pub struct From<'a> {
    /// What is read.
    pub piece: &'a dyn Piece,
    /// The next byte.
    pub at: u64,
}

impl Read for From<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let got = self.piece.read_at(into, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

/// A bundle whose bytes were found to be those of one. What it holds is read when it is wanted, and checked again then.
#[derive(Clone)]
pub struct Bundle {
    piece: Arc<dyn Piece>,
    manifest: Arc<Manifest>,
    starts: Arc<BTreeMap<Name, u64>>,
    digest: Digest,
}

/// What a file holds, given when its turn comes.
pub type Bytes<'a> = dyn Fn(&Name) -> Result<Vec<u8>, Refusal> + 'a;

/// Writes the bundle of these files. The same files, name and counter make the same bytes, on every machine.
///
/// # Errors
/// Where a file is not what the manifest says any more, is too large, or cannot be written.
pub fn write(manifest: &Manifest, bytes: &Bytes<'_>, mut to: impl Write) -> Result<(), Refusal> {
    let text = manifest.text();
    let own = text.len() as u64;
    let size = manifest.length(own).unwrap_or(u64::MAX);
    if size > LARGEST || own > manifest::LARGEST {
        return Err(Refusal::TooLarge { size, most: LARGEST });
    }
    let mut put = |name: &str, bytes: &[u8], run: Run| {
        let header = tar::header(name, bytes.len() as u64, run).ok_or_else(|| Refusal::Unfit {
            what: name.to_owned(),
            why: "its name is too long".to_owned(),
        })?;
        let fill = [0u8; BLOCK as usize];
        let fill = fill.get(..fill_of(bytes.len() as u64)).unwrap_or_default();
        [&header, bytes, fill]
            .iter()
            .try_for_each(|part| to.write_all(part))
            .map_err(|error| Refusal::io("write", "the bundle", error))
    };
    put(manifest::NAME, text.as_bytes(), Run::No)?;
    for (name, entry) in &manifest.files {
        let bytes = bytes(name)?;
        if Digest::of(&bytes) != entry.sha256 {
            let why = "it was changed meanwhile".to_owned();
            return Err(Refusal::Unfit { what: name.to_string(), why });
        }
        put(name.as_str(), &bytes, entry.run())?;
    }
    to.write_all(&[0; END as usize])
        .and_then(|()| to.flush())
        .map_err(|error| Refusal::io("write", "the bundle", error))
}

/// How many zeroes follow a content.
fn fill_of(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}

impl Bundle {
    /// Looks through the bytes, which have to be these `digests`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn open(piece: Arc<dyn Piece>, digests: &Digests) -> Result<Self, Refusal> {
        let mut reader = Checked { from: From { piece: &*piece, at: 0 }, whole: Hasher::default() };
        let first = reader.header(digests.size)?;
        let own = tar::size(&first).unwrap_or(u64::MAX);
        if tar::header(manifest::NAME, own, Run::No) != Some(first) {
            return Err(Refusal::Malformed(format!("it does not begin with {}", manifest::NAME)));
        }
        if own > manifest::LARGEST {
            return Err(Refusal::TooLarge { size: own, most: manifest::LARGEST });
        }
        let have = digests.size;
        if have < BLOCK + own {
            return Err(Refusal::CutOff { have, want: BLOCK + own });
        }
        let manifest = Manifest::parse(&reader.bytes(own)?)?;
        let want = manifest.length(own).unwrap_or(u64::MAX);
        if want > LARGEST {
            return Err(Refusal::TooLarge { size: want, most: LARGEST });
        }
        match have {
            have if have < want => return Err(Refusal::CutOff { have, want }),
            have if have > want => {
                return Err(Refusal::Malformed(format!("{} bytes follow its end", have - want)));
            }
            _ => {}
        }
        reader.zeroes(fill_of(own), "the manifest")?;
        let starts = reader.files(&manifest)?;
        reader.zeroes(END as usize, "the last file")?;
        if reader.whole.finish() != digests.sha256 {
            return Err(Refusal::Moved);
        }
        let (manifest, starts) = (Arc::new(manifest), Arc::new(starts));
        Ok(Self { piece, manifest, starts, digest: digests.sha256 })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The name of the bundle: the SHA-256 of all its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What a file holds; `None` where there is none.
    ///
    /// # Errors
    /// Where it is not what it was any more, or cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let (Some(entry), Some(start)) = (self.manifest.files.get(name), self.starts.get(name)) else {
            return Ok(None);
        };
        let mut from = From { piece: &*self.piece, at: *start }.take(entry.size);
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| Refusal::io("read", name, error))?;
        match Digest::of(&bytes) == entry.sha256 {
            true => Ok(Some(bytes)),
            false => Err(Refusal::Damaged { name: name.to_owned() }),
        }
    }
}

/// Reads and digests what it reads.
struct Checked<'a> {
    from: From<'a>,
    whole: Hasher,
}

impl Checked<'_> {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), Refusal> {
        self.from.read_exact(into).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Refusal::Moved,
            _ => Refusal::io("read", "the bundle", error),
        })?;
        self.whole.update(into);
        Ok(())
    }

    fn header(&mut self, have: u64) -> Result<Header, Refusal> {
        let mut header = [0; BLOCK as usize];
        if have < BLOCK {
            return Err(Refusal::CutOff { have, want: BLOCK });
        }
        self.fill(&mut header).map(|()| header)
    }

    /// So many bytes, which are there and not too many.
    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Refusal> {
        let mut bytes = vec![0; count as usize];
        self.fill(&mut bytes).map(|()| bytes)
    }

    fn zeroes(&mut self, count: usize, after: &str) -> Result<(), Refusal> {
        let bytes = self.bytes(count as u64)?;
        match bytes.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(Refusal::Malformed(format!("something is hidden behind {after}"))),
        }
    }

    fn files(&mut self, manifest: &Manifest) -> Result<BTreeMap<Name, u64>, Refusal> {
        let mut starts = BTreeMap::new();
        for (name, entry) in &manifest.files {
            let header = self.bytes(BLOCK)?;
            if tar::header(name.as_str(), entry.size, entry.run()).is_none_or(|wanted| wanted != *header) {
                return Err(Refusal::Malformed(format!("the header of {name} is not what it has to be")));
            }
            starts.insert(name.clone(), self.from.at);
            self.file(name, entry)?;
            self.zeroes(fill_of(entry.size), name.as_str())?;
        }
        Ok(starts)
    }

    fn file(&mut self, name: &Name, entry: &Entry) -> Result<(), Refusal> {
        let (mut own, mut left) = (Hasher::default(), entry.size);
        while left > 0 {
            let piece = self.bytes(left.min(PIECE as u64))?;
            own.update(&piece);
            left -= piece.len() as u64;
        }
        match own.finish() == entry.sha256 {
            true => Ok(()),
            false => Err(Refusal::Damaged { name: name.to_string() }),
        }
    }
}

impl Manifest {
    /// One of the format that is written.
    pub fn new(site: String, counter: u64, contents: &crate::Contents) -> Self {
        let (elsewhere, files) = (contents.elsewhere.clone(), contents.entries());
        let (links, empty) = (contents.links.clone(), contents.empty.clone());
        Self { format: FORMAT, site, counter, elsewhere, files, links, empty }
    }
}
