//! Finds the tags of a template, and refuses what must not reach the recursive parser: blocks that do not match, nesting
//! beyond the limit, partials. Follows the grammar of crate handlebars (`src/grammar.pest`). Next: `template::prepare`.

use super::Error;

/// Blocks, chained branches, and brackets within a tag may nest this deep. The parser and the renderer recurse.
pub(super) const MAX_DEPTH: usize = 64;

/// Longer paths lead nowhere.
const MAX_WORD: usize = 1024;

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagKind {
    /// `{{#if …}}`.
    Open,
    /// `{{else if …}}`.
    Chain,
    /// `{{else}}`.
    Else,
    /// `{{/if}}`.
    Close,
    /// `{{ path }}`, `{{helper …}}`.
    Value,
    /// `{{{{raw}}}} … {{{{/raw}}}}`, as one.
    Raw,
    /// `{{! … }}`.
    Comment,
}

/// Words with their byte offsets.
type Words<'s> = Vec<(usize, &'s str)>;

/// A tag of the source.
#[derive(Clone, Debug)]
pub(super) struct Tag<'s> {
    /// What it does.
    pub(super) kind: TagKind,
    /// Byte offset of its first brace.
    pub(super) start: usize,
    /// Byte offset after its last brace.
    pub(super) end: usize,
    /// Words outside of string literals, with their byte offsets.
    pub(super) words: Words<'s>,
}

impl Tag<'_> {
    fn name(&self) -> &str {
        self.words.first().map_or("", |(_, word)| word)
    }
}

/// All tags of `source` in order.
pub(super) fn tags(source: &str) -> Result<Vec<Tag<'_>>, Error> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next_tag(source, at) {
        let tag = read_tag(source, start)?;
        at = tag.end;
        found.push(tag);
    }
    check_blocks(source, &found)?;
    Ok(found)
}

/// The next `{{` that no backslash escapes: `\{{` is text, `\\{{` is a backslash and a tag.
fn next_tag(source: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let start = at + source.get(at..)?.find("{{")?;
        let slashes = source[at..start].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if slashes != 1 {
            return Some(start);
        }
        at = start + if source[start..].starts_with("{{{{") { 4 } else { 2 };
    }
}

fn read_tag(source: &str, start: usize) -> Result<Tag<'_>, Error> {
    let rest = &source[start..];
    if rest.starts_with("{{{{") {
        return read_raw(source, start);
    }
    if rest.starts_with("{{!") {
        let long = rest.strip_prefix("{{!--").and_then(|tail| tail.find("--}}")).map(|len| len + 9);
        let end = long.or_else(|| rest.find("}}").map(|len| len + 2));
        let end = end.ok_or_else(|| unclosed(source, start))?;
        return Ok(Tag { kind: TagKind::Comment, start, end: start + end, words: Vec::new() });
    }
    // The grammar lets blanks stand between all of these.
    let sigil = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '~'));
    if sigil.starts_with(['>', '*'])
        || sigil.starts_with('#') && sigil[1..].trim_start().starts_with(['>', '*'])
    {
        let error = Error::new(source, start, "templates have no partials and no decorators");
        return Err(error.help("write the text here, or make it another file's template"));
    }
    let (words, end) = read_words(source, start)?;
    let first = words.first().map_or("", |(_, word)| word);
    // The grammar reads `elseif` as `else if`, and any other word that starts like it.
    if first.starts_with("else") && first.len() > 4 && !sigil.starts_with(['#', '/']) {
        let error = Error::new(source, start, format!("`{first}` reads as `else {}`", &first[4..]));
        return Err(error.help("write `{{else if …}}`; a name that starts with `else` is `this.else…`"));
    }
    let kind = match (sigil.chars().next(), first) {
        (Some('#'), _) => TagKind::Open,
        (Some('/'), _) => TagKind::Close,
        (Some('^'), "") | (_, "else") if words.len() < 2 => TagKind::Else,
        (Some('^'), _) | (_, "else") => TagKind::Chain,
        _ => TagKind::Value,
    };
    let words = if first == "else" { words[1..].to_vec() } else { words };
    Ok(Tag { kind, start, end, words })
}

/// A raw block with its text and end.
fn read_raw(source: &str, start: usize) -> Result<Tag<'_>, Error> {
    let (words, mut at) = read_words(source, start)?;
    loop {
        let close = next_tag(source, at).ok_or_else(|| unclosed(source, start))?;
        if source[close..].starts_with("{{{{") {
            let (_, end) = read_words(source, close)?;
            return Ok(Tag { kind: TagKind::Raw, start, end, words });
        }
        at = close + 2;
    }
}

fn unclosed(source: &str, start: usize) -> Error {
    let error = Error::new(source, start, "this tag is never closed");
    error.help("close it with as many braces, or write `\\{{` for two plain braces")
}

/// The words of a tag and where it ends. `}}` within a string or within `{…}` does not end it.
fn read_words(source: &str, start: usize) -> Result<(Words<'_>, usize), Error> {
    let braces = source[start..].bytes().take_while(|byte| *byte == b'{').count();
    let body =
        source[start + braces..].trim_start_matches(|c: char| c.is_whitespace() || "~#/&^".contains(c));
    let body = source.len() - body.len();
    let (mut words, mut word, mut round, mut curly) = (Vec::new(), None, 0_usize, 0_usize);
    let mut chars = source[body..].char_indices().map(|(at, c)| (body + at, c));
    while let Some((at, c)) = chars.next() {
        // `a.[any key]`; elsewhere a bracket opens a list.
        let key = c == '[' && word.is_some() && source[..at].ends_with(['.', '/']);
        if is_word(c) || key {
            word.get_or_insert(at);
            if key && !chars.by_ref().any(|(_, inner)| inner == ']') {
                return Err(unclosed(source, start));
            }
            continue;
        }
        if let Some(from) = word.take() {
            if at - from > MAX_WORD {
                return Err(Error::new(source, from, format!("a path has at most {MAX_WORD} bytes")));
            }
            words.push((from, &source[from..at]));
        }
        match c {
            '"' | '\'' => skip_string(&mut chars, c).ok_or_else(|| unclosed(source, start))?,
            '(' | '[' => round += 1,
            ')' | ']' => round = round.saturating_sub(1),
            '{' => curly += 1,
            '}' if curly > 0 => curly -= 1,
            '}' if source[at..].starts_with("}}") => {
                let more = source[at..].bytes().take(braces.max(2)).take_while(|byte| *byte == b'}').count();
                return Ok((words, at + more));
            }
            _ => {}
        }
        if round + curly > MAX_DEPTH {
            return Err(Error::new(source, at, format!("brackets nest deeper than {MAX_DEPTH}")));
        }
    }
    Err(unclosed(source, start))
}

/// What names and paths are made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_$:@./".contains(c) || !c.is_ascii()
}

fn skip_string(chars: &mut impl Iterator<Item = (usize, char)>, quote: char) -> Option<()> {
    loop {
        match chars.next()?.1 {
            '\\' => {
                chars.next()?;
            }
            c if c == quote => return Some(()),
            _ => {}
        }
    }
}

/// Every block closed, by its own name, within the limit of nesting.
fn check_blocks(source: &str, tags: &[Tag<'_>]) -> Result<(), Error> {
    let mut open: Vec<&Tag<'_>> = Vec::new();
    for tag in tags {
        match tag.kind {
            TagKind::Open => open.push(tag),
            // A chained branch is parsed as a block within the one before.
            TagKind::Chain => match open.last().copied() {
                Some(block) => open.push(block),
                None => return Err(Error::new(source, tag.start, "`else` outside of a block")),
            },
            TagKind::Else if open.is_empty() => {
                return Err(Error::new(source, tag.start, "`else` outside of a block"));
            }
            TagKind::Close => close_block(source, &mut open, tag)?,
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(Error::new(source, tag.start, format!("blocks nest deeper than {MAX_DEPTH}")));
        }
    }
    match open.last() {
        Some(tag) => {
            let error = Error::new(source, tag.start, format!("`{{{{#{}}}}}` is never closed", tag.name()));
            Err(error.help(format!("end it with `{{{{/{}}}}}`", tag.name())))
        }
        None => Ok(()),
    }
}

fn close_block(source: &str, open: &mut Vec<&Tag<'_>>, tag: &Tag<'_>) -> Result<(), Error> {
    let Some(block) = open.pop() else {
        return Err(Error::new(source, tag.start, format!("`{{{{/{}}}}}` closes nothing", tag.name())));
    };
    while open.last().is_some_and(|before| before.start == block.start) {
        open.pop();
    }
    if block.name() == tag.name() {
        return Ok(());
    }
    let (line, _) = super::error::line_col(source, block.start);
    let error =
        format!("`{{{{/{}}}}}` closes `{{{{#{}}}}}`, opened in line {line}", tag.name(), block.name());
    Err(Error::new(source, tag.start, error).help(format!("write `{{{{/{}}}}}`", block.name())))
}
