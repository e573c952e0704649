//! A table of TOML to a struct, with everything that cannot be decoded told at its field. The compiler's side of decoding.

use model::{Problem, Segment};
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::{Map, Value};

/// Decodes `map`, with the resource's name as one more key where it has one.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn decode<T: DeserializeOwned>(
    map: &Map<String, Value>,
    name: Option<&Value>,
) -> Result<T, Vec<Problem>> {
    // Keeping track of the field costs as much as decoding: that is done again, only where there is something to tell.
    plain(map, name).map_err(|_| problems::<T>(map, name))
}

/// The same for who has a catalog, which its compiler has checked: keeping track of fields is a second copy of all the code that decodes.
///
/// # Errors
/// The first that is wrong, without its field.
pub(crate) fn plain<T: DeserializeOwned>(
    map: &Map<String, Value>,
    name: Option<&Value>,
) -> Result<T, Vec<Problem>> {
    T::deserialize(MapDeserializer::<_, serde_json::Error>::new(entries(map, name, &[])))
        .map_err(|error| vec![Problem::whole(error.to_string())])
}

/// Everything that cannot be decoded: each key that is wrong is told and left out, until the rest can be.
fn problems<T: DeserializeOwned>(map: &Map<String, Value>, name: Option<&Value>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    loop {
        let table = MapDeserializer::<_, serde_json::Error>::new(entries(map, name, &wrong));
        let Err(error) = serde_path_to_error::deserialize::<_, T>(table) else { return problems };
        let problem = problem_of(&error, name.is_some());
        let key = match problem.path.first() {
            Some(Segment::Key(key)) if map.contains_key(key) && !wrong.contains(key) => Some(key.clone()),
            _ => None,
        };
        // A key that is missing only now was left out here.
        let follows = key.is_none() && !wrong.is_empty() && problem.message.starts_with("missing field");
        if !follows {
            problems.push(problem);
        }
        match key {
            Some(key) => wrong.push(key),
            None => return problems,
        }
    }
}

/// The keys and values of a resource but for those that are `wrong`, and its name last: it cannot be left out.
fn entries<'a>(
    map: &'a Map<String, Value>,
    name: Option<&'a Value>,
    wrong: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let good = map.iter().filter(|(key, _)| !wrong.contains(key));
    good.map(|(key, value)| (key.as_str(), value)).chain(name.map(|name| ("name", name)))
}

/// Puts serde's error at its field. A name that came from elsewhere has no field of its own: it stands for the whole resource.
fn problem_of(error: &serde_path_to_error::Error<serde_json::Error>, is_named: bool) -> Problem {
    let path: Vec<Segment> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key.clone())),
            serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
            _ => None,
        })
        .collect();
    let is_name = is_named && path.first() == Some(&Segment::Key("name".to_owned()));
    let path = if is_name { Vec::new() } else { path };
    Problem { path, message: error.inner().to_string(), help: None }
}
