//! Makes a parsed template strict: every path is looked up by a helper that knows where it stands and refuses what is
//! not defined, in every position; helpers are checked by name and number of arguments even where a branch is not taken.
//! Evaluates nothing. Next: `template::render`.

use super::functions::{self, LOOKUP, Place, TEXT};
use super::scan::{Tag, TagKind};
use super::{Error, nearest_help};
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement, TemplateMapping};
use std::collections::HashMap;

/// What a path must lead to.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Anything that is defined.
    Any,
    /// A list or a table.
    Many,
}

/// Rewrites `template`, which was parsed from `source` with these `tags`.
pub(super) fn prepare(source: &str, tags: &[Tag<'_>], template: &mut Template) -> Result<(), Error> {
    Prepare { source, tags: tags.iter() }.template(template)
}

struct Prepare<'s, 't> {
    source: &'s str,
    tags: std::slice::Iter<'t, Tag<'s>>,
}

/// The words of a tag that were not yet matched with a part of it.
struct Words<'s, 't> {
    tag: &'t Tag<'s>,
    at: usize,
}

impl Words<'_, '_> {
    /// Offset of `word`, searched from the last match on, for arguments come in order.
    fn find(&mut self, word: &str) -> usize {
        let rest = self.tag.words.get(self.at..).unwrap_or_default();
        match rest.iter().position(|(_, each)| *each == word) {
            Some(found) => {
                self.at += found + 1;
                rest[found].0
            }
            None => self.tag.start,
        }
    }

    /// Offset of `word` wherever it stands: options come in no order.
    fn anywhere(&self, word: &str) -> usize {
        let found = self.tag.words.iter().find(|(_, each)| *each == word);
        found.map_or(self.tag.start, |(at, _)| *at)
    }
}

impl<'s, 't> Prepare<'s, 't> {
    /// Walks in the order of the source, as the tags are.
    fn template(&mut self, template: &mut Template) -> Result<(), Error> {
        for at in 0..template.elements.len() {
            let place = match &mut template.elements[at] {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    let tag = self.next(&[TagKind::Value]);
                    self.value(tag, call)?
                }
                TemplateElement::HelperBlock(call) => self.block(call)?,
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => continue,
                // The scan has refused all of them; a new one in the grammar is refused here.
                _ => return Err(Error::new(self.source, 0, "templates have no partials and no decorators")),
            };
            // Chained branches come without a mapping; and the mapping is how an error gets its place.
            if let Some(mapping) = template.mapping.get_mut(at) {
                (mapping.0, mapping.1) = place;
            } else if let Some(spare) = spare_mapping(place) {
                template.mapping.push(spare);
            }
        }
        Ok(())
    }

    fn next(&mut self, kinds: &[TagKind]) -> Option<&'t Tag<'s>> {
        self.tags.by_ref().find(|tag| kinds.contains(&tag.kind))
    }

    fn block(&mut self, call: &mut HelperTemplate) -> Result<(usize, usize), Error> {
        let tag = self.next(&[TagKind::Open, TagKind::Chain, TagKind::Raw]);
        let place = self.call(tag, call, Place::Block)?;
        if tag.is_some_and(|tag| tag.kind == TagKind::Raw) {
            return Ok(place);
        }
        for inner in [&mut call.template, &mut call.inverse].into_iter().flatten() {
            self.template(inner)?;
        }
        Ok(place)
    }

    /// `{{ path }}` becomes a call of the helper that prints what the path leads to.
    fn value(
        &mut self,
        tag: Option<&'t Tag<'s>>,
        call: &mut HelperTemplate,
    ) -> Result<(usize, usize), Error> {
        if !matches!(call.name, Parameter::Path(_) | Parameter::Subexpression(_)) {
            return self.call(tag, call, Place::Inline);
        }
        let mut words = self.words(tag)?;
        let mut printed = std::mem::replace(&mut call.name, Parameter::Name(TEXT.into()));
        self.parameter(&mut words, &mut printed, Wanted::Any)?;
        call.params = vec![printed];
        let at = words.tag.words.first().map_or(words.tag.start, |(at, _)| *at);
        Ok((at, 0))
    }

    fn words(&self, tag: Option<&'t Tag<'s>>) -> Result<Words<'s, 't>, Error> {
        let tag =
            tag.ok_or_else(|| Error::new(self.source, 0, "the tags of this template cannot be told apart"))?;
        Ok(Words { tag, at: 0 })
    }

    fn call(
        &mut self,
        tag: Option<&'t Tag<'s>>,
        call: &mut HelperTemplate,
        place: Place,
    ) -> Result<(usize, usize), Error> {
        let mut words = self.words(tag)?;
        let at = self.arguments(&mut words, call, place)?;
        Ok((at, 0))
    }

    /// Checks a call and makes its arguments strict; tells where its name stands.
    fn arguments(
        &mut self,
        words: &mut Words<'s, 't>,
        call: &mut HelperTemplate,
        place: Place,
    ) -> Result<usize, Error> {
        let name = call.name.as_name().unwrap_or_default().to_owned();
        let at = words.find(&name);
        if let Err(why) = functions::check(&name, call.params.len(), place) {
            return Err(Error { help: why.help, ..Error::new(self.source, at, why.message) });
        }
        let wanted = if name == "each" && call.inverse.is_none() { Wanted::Many } else { Wanted::Any };
        for each in &mut call.params {
            self.parameter(words, each, wanted)?;
        }
        for (key, each) in &mut call.hash {
            if !(key == "includeZero" && matches!(name.as_str(), "if" | "unless")) {
                let error =
                    Error::new(self.source, words.anywhere(key), format!("`{name}` has no option `{key}`"));
                return Err(error.help(nearest_help(key, ["includeZero"])));
            }
            self.parameter(&mut Words { tag: words.tag, at: 0 }, each, Wanted::Any)?;
        }
        Ok(at)
    }

    fn parameter(
        &mut self,
        words: &mut Words<'s, 't>,
        parameter: &mut Parameter,
        wanted: Wanted,
    ) -> Result<(), Error> {
        match parameter {
            Parameter::Path(_) => {
                let path = parameter.as_name().unwrap_or_default().to_owned();
                let at = words.find(&path);
                let many = matches!(wanted, Wanted::Many);
                let literals = [path.into(), at.into(), many.into()].map(Parameter::Literal).to_vec();
                let lookup = Subexpression::new(Parameter::Name(LOOKUP.into()), literals, HashMap::new());
                *parameter = Parameter::Subexpression(lookup);
                Ok(())
            }
            Parameter::Subexpression(inner) => match inner.element.as_mut() {
                TemplateElement::Expression(call) => self.arguments(words, call, Place::Inline).map(drop),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// A mapping to be filled: the type has no constructor, but every element of a parsed template has one.
fn spare_mapping(place: (usize, usize)) -> Option<TemplateMapping> {
    let mut mapping = Template::compile("-").ok()?.mapping.pop()?;
    (mapping.0, mapping.1) = place;
    Some(mapping)
}
