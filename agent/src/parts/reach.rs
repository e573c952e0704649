//! How far into its directory a resource reaches: what other resources own below is theirs. In TOML true or false; the
//! compiler puts the list of what others own in place of true (`x-keel = "claims"`).

use model::HostPath;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::fmt;

/// How far a resource reaches into its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Not at all.
    #[default]
    None,
    /// To everything in it, save these and what lies in them.
    AllBut(BTreeSet<HostPath>),
}

impl Reach {
    /// True where it goes into the directory.
    pub fn is_asked(&self) -> bool {
        *self != Self::None
    }

    /// True where it goes as far as `path`.
    pub fn takes(&self, path: &HostPath) -> bool {
        match self {
            Self::None => false,
            Self::AllBut(theirs) => {
                !theirs.contains(path) && !path.ancestors().any(|above| theirs.contains(&above))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Reach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReachVisitor)
    }
}

struct ReachVisitor;

impl<'de> Visitor<'de> for ReachVisitor {
    type Value = Reach;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: de::Error>(self, asked: bool) -> Result<Reach, E> {
        Ok(if asked { Reach::AllBut(BTreeSet::new()) } else { Reach::None })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut paths: A) -> Result<Reach, A::Error> {
        let mut theirs = BTreeSet::new();
        while let Some(path) = paths.next_element()? {
            theirs.insert(path);
        }
        Ok(Reach::AllBut(theirs))
    }
}

/// In the schema a boolean that is false by default.
impl schemars::JsonSchema for Reach {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reach".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "boolean", "default": false, "x-keel": "claims" })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;
    use model::{HostPath, Runtime};

    #[test]
    fn what_others_own_is_out_of_reach_with_all_that_is_in_it() {
        let path = |text| HostPath::new(text).unwrap();
        let reach: Reach = serde_json::from_str(r#"["/a/b"]"#).unwrap();
        assert!(!reach.takes(&path("/a/b")) && !reach.takes(&path("/a/b/c")));
        assert!(reach.takes(&path("/a/bc")) && reach.takes(&path("/a")));
        assert!(!Reach::None.takes(&path("/a")));
    }

    #[test]
    fn the_compiler_is_asked_for_the_list() {
        let kind = crate::kinds::ALL.iter().find(|kind| kind.name() == "directory").unwrap();
        let asks = kind.fields().iter().filter(|field| field.runtime == Runtime::Claims);
        assert_eq!(asks.map(|field| &field.name[..]).collect::<Vec<_>>(), ["purge", "recurse"]);
    }
}
