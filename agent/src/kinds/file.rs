//! `file`: a regular file, its bytes, owner, group and mode. It only decides; the engine writes, atomically.

use crate::kind::{Class, Kind};
use crate::parts::attributes::{Attributes, Owners, Part};
use crate::parts::ensure::Ensure;
use crate::parts::follow::follow;
use crate::parts::mode::{Mode, Target};
use crate::parts::place;
use crate::parts::tree::{Tree, removed};
use crate::system::{Compared, Entry, EntryKind, Look, System};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{
    Claim, Content, Digest, Failure, HostPath, Op, Principal, Problem, Secret, Step, Text, Thing, Val,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// What the host puts in place of the path of the staged file.
const STAGED: &str = "{{ path }}";

/// A regular file: its bytes, owner, group and mode. What is not asked for stays as it is. It is written in one step, so that
/// nobody ever sees half of it, and only where it differs; its ACL and extended attributes stay. It comes after the directory
/// above it, after its owner and group, and below `/etc/NAME/`, `/usr/share/NAME/`, `/var/lib/NAME/`, `/var/log/NAME/` and
/// `/var/cache/NAME/` also after package `NAME`, where the catalog has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(rename = "name")]
    #[schemars(skip)]
    path: HostPath,
    /// `"present"`: the file is there. `"absent"`: it is not; a link there goes as well, what it points to stays.
    #[serde(default)]
    ensure: Ensure,
    /// The bytes, as text. At most one of `content`, `content_base64`, `source` and `template` is given; with none of them a
    /// missing file is made empty, and the bytes of one that is there stay. Example: `"Welcome.\n"`.
    content: Option<Content>,
    /// The bytes, in base64; spaces and line breaks in it do not count. Example: `"AAECAw=="`.
    content_base64: Option<Base64>,
    /// The bytes, from a file beside the declaration or in its folder `files/`. Example: `"motd"`.
    #[schemars(extend("x-keel" = "source"))]
    source: Option<String>,
    /// The bytes, rendered from a Handlebars template beside the declaration or in its folder `templates/`. Example: `"nginx.conf.hbs"`.
    #[schemars(extend("x-keel" = "template"))]
    template: Option<String>,
    /// Owner: a name, or a number as a TOML integer. Left out, the owner stays; a new file gets `root`. Example: `"www-data"`.
    owner: Option<Principal>,
    /// Group: a name, or a number as a TOML integer. Left out, the group stays; a new file gets `root`.
    group: Option<Principal>,
    /// Mode in a string: three or four octal digits, which are exact, or clauses as of chmod(1) with umask 0, which change the
    /// mode found. Left out, the mode stays; a new file gets `"0644"`. Left out where the content is secret, others lose all
    /// rights, and a new file gets `"0600"`. Examples: `"0640"`, `"u=rw,go=r"`, `"a+x"`.
    mode: Option<Mode>,
    /// A command, program and arguments, that has to end with 0 before new bytes are put in place. `{{ path }}` in an argument
    /// becomes the path of the staged file. Where it fails, nothing changes. Example: `["visudo", "-cf", "{{ path }}"]`.
    #[serde(default)]
    #[schemars(extend("x-keel" = "path"))]
    validate: Vec<String>,
    /// False: bytes are only given to a new file; those of one that is there stay, whatever they are.
    #[serde(default = "replaced")]
    replace: bool,
    /// True: where a link stands at the path, the file it leads to is managed, in place of the link. A link in a directory that
    /// anybody may write to is followed only if it belongs to root or to the owner of the directory.
    #[serde(default)]
    follow: bool,
    /// True: what stands there and is no file (a link, FIFO, device, or a directory with all that is in it) is removed first,
    /// item by item, at most 10,000 items. Without it that is refused.
    #[serde(default)]
    force: bool,
    /// SHA-256 that the content must have, 64 hexadecimal digits; another content is an error and nothing is written.
    sha256: Option<String>,
    /// True: neither the content nor its digest is shown or kept in the clear. Content that holds a secret is so by itself.
    #[serde(default)]
    sensitive: bool,
}

fn replaced() -> bool {
    true
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// Where a followed link leads.
    at: Option<HostPath>,
    /// What stands there.
    entry: Option<Entry>,
    /// True where it is a file with just the wanted bytes. Its digest need not be there then.
    is_same: bool,
    owners: Owners,
    /// What lies in the directory that is to go.
    tree: Tree,
}

impl File {
    fn attributes(&self) -> Attributes<'_> {
        let is_unasked = self.mode.is_none() && self.is_secret();
        let mode = if is_unasked { Some(Mode::not_for_others()) } else { self.mode.as_ref() };
        Attributes { owner: self.owner.as_ref(), group: self.group.as_ref(), mode }
    }

    fn given(&self) -> Option<&Content> {
        self.content.as_ref().or(self.content_base64.as_ref().map(|it| &it.0))
    }

    fn is_secret(&self) -> bool {
        self.sensitive || self.given().is_some_and(Content::is_secret)
    }

    /// The wanted bytes, hidden where they are not to be shown.
    fn wanted(&self) -> Option<Content> {
        Some(match self.given()?.clone() {
            Content::Held(held) if self.sensitive => Content::Hidden(Secret::new(held.bytes().clone())),
            content => content,
        })
    }

    /// The keys that say what the bytes are.
    fn sources(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("content", self.content.is_some()),
            ("content_base64", self.content_base64.is_some()),
            ("source", self.source.is_some()),
            ("template", self.template.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key)
    }

    fn write(&self, path: &HostPath, content: Content, who: (Principal, Principal, u32)) -> Op {
        let (owner, group, mode) = who;
        Op::WriteFile { path: path.clone(), content, owner, group, mode, validate: self.validate.clone() }
    }

    fn show(&self, size: u64, digest: Digest) -> Val {
        if self.is_secret() {
            return Val::Hidden;
        }
        let digest = digest.to_string();
        let unit = if size == 1 { "byte" } else { "bytes" };
        if size == 0 { "empty".into() } else { format!("{size} {unit} sha256:{}", &digest[..12]).into() }
    }

    fn create(&self, path: &HostPath) -> Step {
        let content = self.wanted().unwrap_or_else(|| Content::held(*b""));
        let after = self.show(content.size(), content.digest());
        let default = if self.mode.is_none() && self.is_secret() { 0o600 } else { 0o644 };
        let who = self.attributes().fresh(default, Target::File);
        Step::new(self.write(path, content, who)).because("content", Val::Absent, after)
    }

    /// The step for a file that is there; `None` where it is as wanted.
    fn update(&self, path: &HostPath, entry: &Entry, seen: &Seen) -> Option<Step> {
        let attributes = self.attributes();
        let kept = || attributes.step(path, entry, &seen.owners, Part::Itself);
        if seen.is_same {
            return kept();
        }
        let EntryKind::File { size, digest: Some(digest) } = entry.kind else { return kept() };
        let Some(content) = self.wanted().filter(|_| self.replace) else { return kept() };
        if content.digest() == digest {
            return kept();
        }
        let (before, after) = (self.show(size, digest), self.show(content.size(), content.digest()));
        let who = attributes.rewritten(entry, &seen.owners, Part::Itself);
        let step = Step::new(self.write(path, content, who)).because("content", before, after);
        Some(attributes.explain(step, entry, &seen.owners, Part::Itself))
    }

    /// What is wrong with `sha256`, also against the content where that is known.
    fn digest_problem(&self) -> Option<Problem> {
        let text = self.sha256.as_ref()?;
        let problem = |message: String| Some(Problem::at("sha256", message));
        let Some(expected) = Digest::parse(text) else {
            return problem(format!("`{text}` is no SHA-256: it takes 64 hexadecimal digits"));
        };
        match self.given() {
            Some(content) if content.digest() == expected => None,
            Some(content) if self.is_secret() || content.is_secret() => {
                problem("the content has another digest".to_owned())
            }
            Some(content) => problem(format!("the content has another digest, {}", content.digest())),
            None if self.sources().next().is_some() => None,
            None => problem("there is no content that could have a digest".to_owned()),
        }
    }
}

impl Kind for File {
    const NAME: &'static str = "file";
    const CLASS: Class = Class::Files;
    const CONFIG: bool = true;
    const EXAMPLE: &'static str = r#"[file."/etc/motd"]
content = "Welcome.\n"
owner   = "root"
group   = "root"
mode    = "0644"

[file."/etc/motd.old"]
ensure = "absent"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.mode.iter().filter_map(|mode| mode.problem("mode")).collect();
        let sources: Vec<&str> = self.sources().collect();
        if let [first, second, ..] = sources[..] {
            let problem = Problem::at(second, format!("`{first}` says already what the content is"));
            problems.push(problem.help(format!("leave out `{first}` or `{second}`")));
        }
        problems.extend(self.digest_problem());
        if self.sensitive && matches!(self.given(), Some(Content::Stored(..))) {
            problems
                .push(Problem::at("content", "secret bytes never come from a store that others may read"));
        }
        if !self.validate.is_empty() && !self.validate.iter().any(|word| word.contains(STAGED)) {
            let problem = Problem::at("validate", "the command is not told which file to look at");
            problems
                .push(problem.help(format!("write `{STAGED}` where the command takes the path of the file")));
        }
        if self.path.parent().is_none() {
            problems.push(Problem::whole("`/` is a directory, and never a file"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        vec![self.ensure.claim(Thing::Path(self.path.clone()))]
    }

    fn wants(&self) -> Vec<Thing> {
        place::wants(&self.path).chain(self.attributes().wants()).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        if let (None, Some(key)) = (self.given(), self.sources().next()) {
            return Err(Failure::unknown(
                self.path.to_string(),
                format!("`{key}` was not compiled into content"),
            ));
        }
        let is_present = self.ensure == Ensure::Present;
        let compared = self.given().filter(|_| is_present && self.replace);
        let look = |path: &HostPath| match compared {
            Some(wanted) => system.compare(path, wanted),
            None => Ok(Compared { entry: system.look(path, Look::Bare)?, is_same: false }),
        };
        let Compared { mut entry, mut is_same } = look(&self.path)?;
        let is_link = entry.as_ref().is_some_and(|entry| matches!(entry.kind, EntryKind::Symlink { .. }));
        let mut at = None;
        if is_present && self.follow && is_link {
            let end = follow(system, &self.path)?;
            Compared { entry, is_same } = look(&end)?;
            at = Some(end);
        }
        let tree = match &entry {
            Some(entry) if self.force && entry.kind == EntryKind::Directory => {
                Tree::probe(system, at.as_ref().unwrap_or(&self.path))?
            }
            Some(Entry { kind: EntryKind::File { digest: None, .. }, .. })
                if compared.is_some() && !is_same =>
            {
                return Err(Failure::unknown(self.path.to_string(), "its bytes could not be read"));
            }
            _ => Tree::default(),
        };
        let owners = if is_present {
            Owners::probe(self.attributes(), entry.as_ref(), system)?
        } else {
            Owners::default()
        };
        Ok(Seen { at, entry, is_same, owners, tree })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let at = seen.at.as_ref().unwrap_or(&self.path);
        match (self.ensure, &seen.entry) {
            (Ensure::Absent, None) => Ok(Vec::new()),
            (Ensure::Present, None) => Ok(vec![self.create(at)]),
            (Ensure::Present, Some(entry)) if matches!(entry.kind, EntryKind::File { .. }) => {
                Ok(self.update(at, entry, seen).into_iter().collect())
            }
            (Ensure::Absent, Some(entry))
                if matches!(entry.kind, EntryKind::File { .. } | EntryKind::Symlink { .. }) =>
            {
                Ok(vec![removed(at, entry)])
            }
            (ensure, Some(entry)) => {
                let mut steps = place::clear(at, entry, &seen.tree, self.force.into(), "file")?;
                steps.extend((ensure == Ensure::Present).then(|| self.create(at)));
                Ok(steps)
            }
        }
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        let at = seen.at.as_ref().unwrap_or(&self.path);
        match &seen.entry {
            None => Some(Vec::new()),
            Some(entry) if matches!(entry.kind, EntryKind::File { .. }) => Some(vec![removed(at, entry)]),
            Some(_) => None,
        }
    }
}

/// Bytes that are written in base64.
#[derive(Debug)]
pub struct Base64(Content);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let dense: String = text.expose().split_ascii_whitespace().collect();
        // The error of the decoder would tell a byte of a secret.
        let bytes = STANDARD.decode(dense).map_err(|_| serde::de::Error::custom("this is not base64"))?;
        Ok(Self(if text.is_secret() {
            Content::Hidden(Secret::new(bytes.into()))
        } else {
            Content::held(bytes)
        }))
    }
}

/// In the schema a string that is hidden where the resource is `sensitive`, as [`Text`].
impl JsonSchema for Base64 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Base64".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Text::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
